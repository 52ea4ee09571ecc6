package cpu

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Report implements ir.Reporter.
func (d *Device) Report() []ir.Fact {
	l := []ir.Fact{
		{Topic: "device", Name: "processor", Value: fmt.Sprintf("%s/%s, %d logical processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())},
		{Topic: "device", Name: "goroutines", Value: fmt.Sprint(d.crew.width())},
		{Topic: "kernels", Name: "level", Value: d.level.name + ", of " + strings.Join(Levels(), ", ")},
		{Topic: "kernels", Name: "products", Value: fmt.Sprintf("tiles of %d×%d, blocks of %d×%d of B", d.level.gemm32.MR, d.level.gemm32.NR, d.level.gemm32.KC, d.level.gemm32.NC)},
	}
	state := "off: this level has none"
	if f := d.level.kernels.fused; f != nil {
		state = fmt.Sprintf("on: chunks of %d", f.chunk)
	}
	l = append(l, ir.Fact{Topic: "kernels", Name: "chain machine", Value: state})
	state = "off: halves are widened"
	if d.level.gemmBF16 != nil {
		state = "on"
	}
	return append(l, ir.Fact{Topic: "kernels", Name: "products of BF16 in pairs", Value: state})
}
