package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"unicode/utf8"
)

// The most that a file may have.
const (
	mostBytes   = 64 << 20
	mostRuns    = 256
	mostDevices = 256
	mostResults = 100_000
	mostSamples = 1 << 16 // of a result
	mostText    = 4096    // bytes of a string
	mostNumber  = 1e30    // so that no product of two overflows
)

// ReadFile reads and checks a file; "-" is none. Errors name it.
func ReadFile(name string) (*File, error) {
	in, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	f, err := Read(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// Read reads and checks a file.
func Read(r io.Reader) (*File, error) {
	raw, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > mostBytes {
		return nil, fmt.Errorf("more than %d MiB", mostBytes>>20)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	var f File
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("not a benchmark's results: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	if f.Format != Format {
		return nil, fmt.Errorf("format %d, want %d: not a file of bench -json, or of another version", f.Format, Format)
	}
	return &f, f.check()
}

// Write writes a file as [Read] takes it.
func (f *File) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "\t")
	return e.Encode(f)
}

// key tells runs apart.
func (r *Run) key() string {
	h := sha256.New()
	// A checked run has no value that JSON lacks.
	_ = json.NewEncoder(h).Encode(r)
	return string(h.Sum(nil))
}

func (f *File) check() error {
	if len(f.Runs) > mostRuns {
		return fmt.Errorf("%d runs, at most %d", len(f.Runs), mostRuns)
	}
	for i := range f.Runs {
		if err := f.Runs[i].check(); err != nil {
			return fmt.Errorf("run %d: %w", i, err)
		}
	}
	return nil
}

func (r *Run) check() error {
	h := &r.Header
	if h.GOMAXPROCS < 0 || h.Passes < 0 || len(h.Peers) > 64 || len(h.Missing) > mostDevices || len(h.Levels) > 64 {
		return errors.New("header: out of range")
	}
	texts := append([]string{h.Device, h.Processor, h.System, h.Go, h.Commit, h.Time}, h.Levels...)
	for _, m := range []map[string]string{h.Peers, h.Missing} {
		for k, v := range m {
			texts = append(texts, k, v)
		}
	}
	if err := checks(texts, h.Took); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if len(r.Devices) > mostDevices || len(r.Results) > mostResults || len(r.Figures) > mostResults {
		return errors.New("too many devices, results or figures")
	}
	ids := map[string]bool{"": true}
	for i, d := range r.Devices {
		if err := checks([]string{d.ID, d.Kind, d.Model, d.Vendor, d.Driver}); err != nil {
			return fmt.Errorf("device %d: %w", i, err)
		}
		if ids[d.ID] {
			return fmt.Errorf("device %d: ID %q is there already, or empty", i, d.ID)
		}
		if d.Cores < 0 || d.Lanes < 0 || d.Memory < 0 || d.Cores > 1<<20 || d.Lanes > 1<<20 {
			return fmt.Errorf("device %d: out of range", i)
		}
		ids[d.ID] = true
	}
	cases := map[string]bool{}
	for i := range r.Results {
		v := &r.Results[i]
		if err := v.check(); err != nil {
			return fmt.Errorf("result %d: %w", i, err)
		}
		if !ids[v.Device] {
			return fmt.Errorf("result %d: no device %.100q", i, v.Device)
		}
		if id := v.ID(); cases[id] {
			return fmt.Errorf("result %d: %.100q is there already", i, id)
		} else {
			cases[id] = true
		}
	}
	for i, f := range r.Figures {
		if err := checks([]string{f.Key, f.Unit}, f.Value); err != nil {
			return fmt.Errorf("figure %d: %w", i, err)
		}
	}
	return nil
}

func (r *Result) check() error {
	if r.Threads < 0 || r.Threads > 1<<20 || r.Rounds < 0 || len(r.Rivals) > 64 {
		return errors.New("out of range")
	}
	texts := []string{r.Device, r.Suite, r.Group, r.Case, r.Op, r.Error, r.Skipped}
	if err := checks(texts, r.Size, r.Work, r.Flops, r.Bytes, r.Interval.Low, r.Interval.High, r.Interval.Confidence); err != nil {
		return err
	}
	if r.Interval.Low > r.Interval.High || r.Interval.Confidence > 1 {
		return errors.New("interval: out of order")
	}
	for _, s := range []Stat{r.Seconds, r.OnDevice, r.Share, r.Waited} {
		if err := s.check(); err != nil {
			return err
		}
	}
	if r.Seconds.N > 0 && (r.Seconds.Min <= 0 || r.Error != "") {
		return errors.New("seconds of nothing")
	}
	if err := checkSamples(r.Samples); err != nil {
		return err
	}
	for i := range r.Rivals {
		v := &r.Rivals[i]
		if err := checks([]string{v.Name, v.RatioName, v.Missing}); err != nil {
			return err
		}
		for _, s := range []Stat{v.Seconds, v.Ratio, v.Share} {
			if err := s.check(); err != nil {
				return fmt.Errorf("rival %d: %w", i, err)
			}
		}
		if err := checkSamples(v.Samples); err != nil {
			return fmt.Errorf("rival %d: %w", i, err)
		}
	}
	return nil
}

func (s Stat) check() error {
	if err := checks(nil, s.Median, s.Min, s.Max); err != nil {
		return err
	}
	if s.N < 0 || s.Min > s.Median || s.Median > s.Max {
		return errors.New("statistics: out of order")
	}
	return nil
}

func checkSamples(passes [][]float64) error {
	n := 0
	for _, p := range passes {
		if n += len(p) + 1; n > mostSamples {
			return errors.New("too many samples")
		}
		for _, x := range p {
			if !(x > 0) || x > mostNumber {
				return fmt.Errorf("a sample of %v seconds", x)
			}
		}
	}
	return nil
}

// checks refuses texts that are long or no UTF-8, and numbers that are negative, huge or
// none.
func checks(texts []string, numbers ...float64) error {
	for _, s := range texts {
		if len(s) > mostText || !utf8.ValidString(s) {
			return fmt.Errorf("a text of %d bytes, or not in UTF-8: %.20q", len(s), s)
		}
	}
	for _, x := range numbers {
		if !(x >= 0) || x > mostNumber || math.IsInf(x, 0) {
			return fmt.Errorf("the number %v", x)
		}
	}
	return nil
}
