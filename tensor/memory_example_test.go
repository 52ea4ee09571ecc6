package tensor_test

import (
	"fmt"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor"
)

// The largest batch whose squares fit a device of 1 MiB beside the batch itself.
func ExampleLargestBatch() {
	d := tensor.New(cpu.New(cpu.Options{MemoryBytes: 1 << 20}))
	defer d.Close()
	square := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{in[0].Mul(in[0])} })
	n, m, err := tensor.LargestBatch(1<<20, func(n int) (*tensor.MemoryPlan, error) {
		return square.Plan(tensor.Zeros(d, n, 1024))
	})
	fmt.Println(n, m.Peak(), m.Room, err)
	// Output: 128 1048576 1048576 <nil>
}
