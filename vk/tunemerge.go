package vk

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/fornax-ml/fornax/vk/internal/driver"
)

// A record is a JSON file of what a device learnt about this build's kernels.
type record[T any] struct {
	Kernels string       `json:"kernels"` // kernelsHash
	Device  string       `json:"device"`
	Driver  string       `json:"driver"`
	Entries map[string]T `json:"entries"`
}

// mostRecord bounds a record's file, in bytes.
const mostRecord = 16 << 20

// A tuned is what a race found: the fastest variant, its time and the default's.
type tuned struct {
	Variant string        `json:"variant"`
	Time    time.Duration `json:"ns"`
	Default time.Duration `json:"default_ns"`
}

// MergeTuned joins records of tuning, such as Options.CacheDir has as tuned-….json, into
// the file out, which may be one of them. They must be of one model, driver and build of
// the kernels. Of two entries for one class of shapes that with the larger gain over its
// default stays.
func MergeTuned(out string, files ...string) error {
	var all record[tuned]
	for i, name := range files {
		st, err := os.Stat(name)
		if err != nil {
			return err
		}
		if st.Size() > mostRecord {
			return fmt.Errorf("vk: %s: %d bytes, a record has at most %d", name, st.Size(), mostRecord)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var r record[tuned]
		if err := json.Unmarshal(data, &r); err != nil {
			return fmt.Errorf("vk: %s: %w", name, err)
		}
		if i == 0 {
			all = record[tuned]{r.Kernels, r.Device, r.Driver, map[string]tuned{}}
		}
		if r.Kernels != all.Kernels || r.Device != all.Device || r.Driver != all.Driver {
			return fmt.Errorf("vk: %s is of %s, %s and kernels %.8s; %s of %s, %s and %.8s", name, r.Device, r.Driver, r.Kernels,
				files[0], all.Device, all.Driver, all.Kernels)
		}
		for class, e := range r.Entries {
			if old, ok := all.Entries[class]; !ok || e.gain() > old.gain() {
				all.Entries[class] = e
			}
		}
	}
	if len(files) == 0 {
		return fmt.Errorf("vk: no records to merge")
	}
	data, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return driver.ReplaceFile(out, data)
}

func (t tuned) gain() float64 {
	if t.Time <= 0 {
		return 0
	}
	return float64(t.Default) / float64(t.Time)
}
