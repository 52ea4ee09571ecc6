package devicetest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// RecordEnv names the environment variable that holds the folder to which
// conformance tests write their records; see WriteRecord.
const RecordEnv = "FORNAX_CONFORMANCE"

// A Record says which ops passed the suite for which dtypes on one device, for
// the page on ops.
type Record struct {
	Device string              `json:"device"` // backend and tier or level: "vulkan T0"
	Model  string              `json:"model"`
	Driver string              `json:"driver"`
	Passed map[string][]string `json:"passed"` // op → dtypes
	Failed map[string][]string `json:"failed,omitempty"`

	mu sync.Mutex
}

// NewRecord makes the record of a device under a label for what was tested of
// it.
func NewRecord(label string, info *ir.Info) *Record {
	return &Record{Device: label, Model: info.Model, Driver: info.Driver, Passed: map[string][]string{}, Failed: map[string][]string{}}
}

// Report is an Options.Report. A dtype passes for an op where every test of the
// two does.
func (r *Record) Report(op ir.Op, d ir.DType, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name, dt := op.String(), d.String()
	if !ok || slices.Contains(r.Failed[name], dt) {
		r.Passed[name] = without(r.Passed[name], dt)
		r.Failed[name] = append(without(r.Failed[name], dt), dt)
		return
	}
	r.Passed[name] = append(without(r.Passed[name], dt), dt)
}

// Write writes the record as JSON to the folder named by RecordEnv; where that
// is not set it does nothing.
func (r *Record) Write() error {
	dir := os.Getenv(RecordEnv)
	if dir == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	name := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' {
			return c
		}
		return '-'
	}, r.Device+" "+r.Driver)
	if err := os.WriteFile(filepath.Join(dir, name+".json"), append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("devicetest: record: %w", err)
	}
	return nil
}

func without(l []string, s string) []string {
	var r []string
	for _, x := range l {
		if x != s {
			r = append(r, x)
		}
	}
	return r
}
