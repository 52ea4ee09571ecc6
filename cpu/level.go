package cpu

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// levelVariable is the environment variable that names a level.
const levelVariable = "FORNAX_CPU_LEVEL"

// A level is the set of kernels for one kind of processor. Results have equal
// bits wherever a level runs; two levels may round differently.
type level struct {
	name           string
	kernels        *kernelTable
	gemm32, gemm64 gemmKernel
	gemmBF16       *gemmKernel      // nil: gemm32, of operands that are widened
	peak           func(rounds int) // multiply-adds on registers, or nil
	lanes          int              // float32 lanes of a vector
	gain           float64          // about how many times as fast as portable Go its kernels are
}

// levels returns those that this processor and its system can run, the best
// one first and portable Go last.
var levels = sync.OnceValue(func() []*level {
	return append(archLevels(), portableLevel())
})

func portableLevel() *level {
	return &level{name: "portable", kernels: portableKernels(), gemm32: portableGemm[float32](), gemm64: portableGemm[float64](), gain: 1}
}

// Levels returns the names of the SIMD levels that this processor has, the best
// one first. The last is "portable", which every processor has.
func Levels() []string {
	var l []string
	for _, v := range levels() {
		l = append(l, v.name)
	}
	return l
}

func findLevel(name string) (*level, error) {
	for _, v := range levels() {
		if v.name == name {
			return v, nil
		}
	}
	return nil, fmt.Errorf("cpu: no level %q here; there are: %s", name, strings.Join(Levels(), ", "))
}

// defaultLevel returns the level that the environment names, or else the best
// one. Where the one named is not there the error says so, and the level is the
// best one.
var defaultLevel = sync.OnceValues(func() (*level, error) {
	best := levels()[0]
	name := os.Getenv(levelVariable)
	if name == "" {
		return best, nil
	}
	lv, err := findLevel(name)
	if err != nil {
		return best, fmt.Errorf("%s: %w", levelVariable, err)
	}
	return lv, nil
})

// fallback is defaultLevel for callers that cannot fail: what the environment
// names in vain is reported once and then ignored.
func fallback() *level {
	lv, err := defaultLevel()
	if err != nil {
		complain.Do(func() { fmt.Fprintf(os.Stderr, "fornax: %v; using %s\n", err, lv.name) })
	}
	return lv
}

var complain sync.Once

// infoAt describes the device at a level.
func infoAt(lv *level) *ir.Info {
	info := *hostInfo()
	info.Driver = "fornax cpu, " + runtime.GOARCH + " " + lv.name
	return &info
}
