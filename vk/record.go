//go:build cgo

package vk

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"sync"

	"github.com/fornax-ml/fornax/shaders"
	"github.com/fornax-ml/fornax/vk/internal/driver"
)

// An owner is the device that a record is about.
type owner struct{ model, driver string }

// readRecord reads the entries of a record of this build's kernels; a file that is
// missing, damaged or of other kernels has none.
func readRecord[T any](path string) map[string]T {
	none := map[string]T{}
	if st, err := os.Stat(path); err != nil || st.Size() > mostRecord {
		return none
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return none
	}
	var r record[T]
	if json.Unmarshal(data, &r) != nil || r.Kernels != kernelsHash() || r.Entries == nil {
		return none
	}
	return r.Entries
}

// writeRecord replaces the file in one step.
//
// What other processes wrote meanwhile about other things stays.
func writeRecord[T any](path string, of owner, entries map[string]T) error {
	all := readRecord[T](path)
	maps.Copy(all, entries)
	data, err := json.MarshalIndent(record[T]{kernelsHash(), of.model, of.driver, all}, "", " ")
	if err != nil {
		return err
	}
	return driver.ReplaceFile(path, data)
}

// recordVersion changes with what a trial or the lowering of a kernel is.
const recordVersion = 1

// kernelsHash identifies the kernels that records are about.
var kernelsHash = sync.OnceValue(func() string {
	h := sha256.New()
	fmt.Fprintln(h, recordVersion)
	if set, err := shaders.Builtin(); err == nil {
		for _, m := range set.Modules() {
			fmt.Fprintln(h, m.Name, m.SHA256)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
})
