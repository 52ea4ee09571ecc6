package devicetest_test

import (
	"testing"

	"github.com/fornax-ml/fornax/tensor/devicetest"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// The suite passes on the reference itself, and covers the op table.
func TestReference(t *testing.T) {
	type row struct {
		op ir.Op
		d  ir.DType
	}
	seen := map[row]bool{}
	devicetest.Run(t, ref.NewDevice(), devicetest.Options{Report: func(op ir.Op, d ir.DType, ok bool) { seen[row{op, d}] = ok }})
	for _, in := range ir.Table() {
		switch in.Op {
		case ir.OpScalar, ir.OpConst, ir.OpAcc, ir.OpCustom, ir.OpPick:
			continue
		}
		for _, d := range in.Args.List() {
			if !seen[row{in.Op, d}] {
				t.Errorf("%v of %v was not reported as passing", in.Op, d)
			}
		}
	}
}
