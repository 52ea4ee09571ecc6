//go:build cgo

package vk

import (
	"encoding/json"
	"os"

	"github.com/fornax-ml/fornax/vk/internal/driver"
)

// mostVerdicts bounds the file of a passport, in bytes.
const mostVerdicts = 4 << 20

// A passportFile is the JSON of a passport.
type passportFile struct {
	Kernels  string             `json:"kernels"` // kernelsHash
	Verdicts map[string]verdict `json:"verdicts"`
}

// readVerdicts reads the verdicts on the kernels of this build; a file that is
// missing, damaged or of other kernels has none.
func readVerdicts(path string) map[string]verdict {
	none := map[string]verdict{}
	if st, err := os.Stat(path); err != nil || st.Size() > mostVerdicts {
		return none
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return none
	}
	var f passportFile
	if json.Unmarshal(data, &f) != nil || f.Kernels != kernelsHash() || f.Verdicts == nil {
		return none
	}
	return f.Verdicts
}

// writeVerdicts replaces the file in one step.
func writeVerdicts(path string, verdicts map[string]verdict) error {
	data, err := json.MarshalIndent(passportFile{kernelsHash(), verdicts}, "", " ")
	if err != nil {
		return err
	}
	return driver.ReplaceFile(path, data)
}
