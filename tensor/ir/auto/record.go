package auto

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// recordVersion changes with what the figures of a record mean.
const recordVersion = 1

// mostRecord bounds the bytes of a record that are read.
const mostRecord = 64 << 10

// A record is the costs of one device on one machine, as a file has them.
type record struct {
	Version int    `json:"version"`
	Device  string `json:"device"`
	// Vain counts the calibrations that could add nothing to what is missing.
	Vain  int   `json:"vain,omitempty"`
	Costs costs `json:"costs"`
}

// mostVain is after how many calibrations in vain a device is taken as it is.
const mostVain = 2

// DefaultCacheDir returns the folder where devices opened by name keep their
// calibration: fornax/auto in the user's cache folder, "" where there is none.
func DefaultCacheDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(base, "fornax", "auto")
}

// identity names a device of this machine, its driver and what else its speed hangs on.
func identity(info *ir.Info) string {
	return fmt.Sprintf("%s|%s|%s|%s|%d processors", info.Name, info.Model, info.Vendor, info.Driver, runtime.GOMAXPROCS(0))
}

func recordPath(dir string, info *ir.Info) string {
	h := sha256.Sum256([]byte(identity(info)))
	return filepath.Join(dir, fmt.Sprintf("%x.json", h[:12]))
}

// readRecord returns what is on record; the zero record where the file is missing,
// damaged, or of another device or version.
func readRecord(dir string, info *ir.Info) record {
	f, err := os.Open(recordPath(dir, info))
	if err != nil {
		return record{}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostRecord+1))
	if err != nil || len(data) > mostRecord {
		return record{}
	}
	r, ok := parseRecord(data)
	if !ok || r.Device != identity(info) {
		return record{}
	}
	return r
}

// parseRecord reads a record and checks every number of it.
func parseRecord(data []byte) (r record, ok bool) {
	if json.Unmarshal(data, &r) != nil || r.Version != recordVersion {
		return record{}, false
	}
	if !r.Costs.sane() {
		return record{}, false
	}
	return r, true
}

// sane reports whether the costs can be calculated with.
func (c *costs) sane() bool {
	good := func(l ...float64) bool {
		for _, v := range l {
			if !(v >= 1e-18 && v <= 1e18) { // a NaN is neither
				return false
			}
		}
		return true
	}
	if !good(c.Launch, c.Step, c.Compile, c.Write.Latency, c.Write.Bandwidth, c.Read.Latency, c.Read.Bandwidth) {
		return false
	}
	for _, l := range c.Families {
		if len(l) > 16 {
			return false
		}
		for i, p := range l {
			if !good(p.Units, p.Seconds) || i > 0 && p.Units <= l[i-1].Units {
				return false
			}
		}
	}
	return true
}

// writeRecord replaces the record in one step. One that cannot be written is measured
// again next time.
func writeRecord(dir string, info *ir.Info, r record) error {
	r.Version, r.Device = recordVersion, identity(info)
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), recordPath(dir, info))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
