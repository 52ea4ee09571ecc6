package trial

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

var options = lower.Options{Buffers: 4, Workgroup: 128, Shared: 16 << 10, Align: 256, DTypes: lower.Wide, Subgroup8: true}

// answers are what the reference itself gives.
func answers(t *testing.T, x *Trial) [][]byte {
	want, err := ref.Executor{Round: true}.Run(x.Program, x.inputs, nil)
	require.NoError(t, err)
	var out [][]byte
	for _, w := range want {
		out = append(out, w.Bytes())
	}
	return out
}

// judges accepts the right answer and no other.
func judges(t *testing.T, x *Trial) {
	require.NoError(t, x.Program.Check())
	out := answers(t, x)
	require.NoError(t, x.Check(out))
	for i, s := range x.Program.Slots[x.Program.Inputs:] {
		bits := ir.GetBits(s.DType, out[i], s.Len-1)
		wrong := bits ^ 1
		if s.DType.IsFloat() {
			wrong = ir.FloatBits(s.DType, 1234.5)
		}
		ir.PutBits(s.DType, out[i], s.Len-1, wrong)
		require.Error(t, x.Check(out), "%v", x.Program)
		ir.PutBits(s.DType, out[i], s.Len-1, bits)
	}
}

func TestEveryOpHasATrial(t *testing.T) {
	for _, f := range lower.OpFuncs() {
		x := Op(f)
		judges(t, x)
		plan, err := lower.Lower(x.Program, options)
		require.NoError(t, err)
		require.Contains(t, plan.Dispatches[0].Kernel.Ops(), f.Name)
	}
}

// TestEveryVariantHasATrial tries each kernel of the programs that there are, by a
// program that runs that kernel.
func TestEveryVariantHasATrial(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine, and long")
	}
	tried := map[string]bool{}
	units := options
	units.Workgroup, units.Shared = 256, 32<<10
	units.Matrices = map[ir.DType]lower.Matrix{ir.F16: {M: 8, N: 8, K: 8, Subgroup: 8}, ir.BF16: {M: 8, N: 8, K: 8, Subgroup: 8}}
	flexible := units
	flexible.Flexible = map[ir.DType]lower.Matrix{ir.F16: {M: 8, N: 8, K: 8, Subgroup: 8, Flexible: 64}}
	for _, options := range []lower.Options{options, units, flexible} {
		tryAll(t, options, tried)
	}
	for _, name := range []string{"map spread 128", "map sparse 128", "map_wide sparse 128", "map_wide words 128", "map turn 128", "reduce row 32 1", "reduce arg_lane 128 4", "scatteradd compare 128 4", "scatteradd rows 128 1", "scatteradd_wide walk 128 1", "rows row 64", "rows lane 128", "rows_wide row 128", "matmul_sub8 8 8 4", "matmul_coop_f16 32 2 2 2 2 32 1 1 8 8 8 8 8 4", "matmul_coop_bf16 32 2 2 2 2 32 1 1 8 8 8 8 8 1", "matmul_coop2_f16 8 1 1 1 1 32 0 1 8 8 8 16 16 1 3"} {
		require.True(t, tried[name], name)
	}
}

func tryAll(t *testing.T, options lower.Options, tried map[string]bool) {
	for _, x := range All(options) {
		plan, err := lower.Lower(x.Program, x.Options(options))
		require.NoError(t, err)
		for _, d := range plan.Dispatches {
			name := d.Kernel.Variant()
			if tried[name] || strings.HasPrefix(name, "indexcheck") {
				continue
			}
			tried[name] = true
			x := Variant(d.Kernel)
			require.NotNil(t, x, name)
			if !strings.HasPrefix(name, "matmul_coop") || strings.Contains(name, " 2 2 2 2 32 ") || strings.HasPrefix(name, "matmul_coop2") { // the reference takes a minute for all
				judges(t, x)
			}
			again, err := lower.Lower(x.Program, x.Options(options))
			require.NoError(t, err)
			require.True(t, slices.ContainsFunc(again.Dispatches, func(d lower.Dispatch) bool { return d.Kernel.Variant() == name }),
				"the trial of %s does not run it", name)
		}
	}
}
