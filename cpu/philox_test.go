package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// wordsProg makes n words of the stream of constant words, at the positions that
// view computes.
func wordsProg(view ir.View, words [4]uint32) *prog {
	n := ir.Size(view.Shape)
	p := &prog{}
	chain := ir.Chain{{Op: ir.OpIndex, DType: ir.U32}}
	for _, w := range words {
		chain = append(chain, ir.Step{Op: ir.OpConst, DType: ir.U32, Imm: uint64(w)})
	}
	chain = append(chain, op(ir.OpPhilox, ir.U32, 0, 1, 2, 3, 4))
	p.add(&ir.Map{Shape: view.Shape, Chain: chain, Operands: []ir.Operand{{Slot: ir.NoSlot, View: view}}, Stores: []ir.Store{{Slot: p.out(ir.U32, n), Reg: 5}}})
	return p
}

// integers returns the elements of raw as 32-bit integers.
func integers(raw []byte) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(raw))), len(raw)/4)
}

// Words of one stream are those of the definition, from any word on, in any
// number and order.
func TestPhiloxRun(t *testing.T) {
	key := [4]uint32{0x243f6a88, 0x85a308d3, 0xfffffffe, 0x03707344}
	eachLevel(t, func(t *testing.T, level string) {
		d := cpu.New(cpu.Options{Level: level, Workers: 2})
		defer d.Close()
		for _, n := range []int{1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 63, 65, 127, 128, 129, 200, 1023, 1024, 1025, 5000, 100000} {
			for _, first := range []int{0, 1, 2, 3, 4, 1<<31 - 100000, -2, -131} {
				for _, stride := range []int{1, 3, -1} {
					if stride != 1 && n > 300 {
						continue
					}
					view := ir.View{Shape: []int{n}, Strides: []int{stride}, Offset: first}
					e, bufs := setup(t, d, wordsProg(view, key))
					run(t, e, bufs)
					for i, got := range integers(read(t, bufs[0])) {
						if want := ir.PhiloxAt(uint32(first+i*stride), key[0], key[1], key[2], key[3]); got != want {
							t.Fatalf("word %d of %d from %d, step %d: %#x, want %#x", i, n, first, stride, got, want)
						}
					}
					bufs[0].Free()
					e.Free()
				}
			}
		}
	})
}

// Each position may have a stream of its own.
func TestPhiloxAny(t *testing.T) {
	eachLevel(t, func(t *testing.T, level string) {
		d := cpu.New(cpu.Options{Level: level})
		defer d.Close()
		rng := rand.New(rand.NewPCG(3, 4))
		for n := 1; n < 1100; n += 1 + n/20 {
			for uniform := range 2 { // whether the key's second word is
				p := &prog{}
				chain, m := ir.Chain{}, &ir.Map{Shape: []int{n}}
				for k := range 5 {
					v := ir.Contiguous([]int{n})
					if k == 2 && uniform > 0 {
						v.Strides = []int{0}
					}
					m.Operands = append(m.Operands, ir.Operand{Slot: p.in(ir.U32, n), View: v})
					chain = append(chain, ld(ir.U32, k))
				}
				m.Chain = append(chain, op(ir.OpPhilox, ir.U32, 0, 1, 2, 3, 4))
				m.Stores = []ir.Store{{Slot: p.out(ir.U32, n), Reg: 5}}
				p.add(m)
				e, bufs := setup(t, d, p)
				args := make([][]uint32, 5)
				for k := range args {
					args[k] = make([]uint32, n)
					for i := range args[k] {
						args[k][i] = rng.Uint32()
					}
					raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(args[k]))), 4*n)
					require.NoError(t, bufs[k].Write(0, raw))
				}
				run(t, e, bufs)
				for i, got := range integers(read(t, bufs[5])) {
					k1 := args[2][i*(1-uniform)]
					require.Equal(t, ir.PhiloxAt(args[0][i], args[1][i], k1, args[3][i], args[4][i]), got, "word %d of %d", i, n)
				}
				for _, b := range bufs {
					b.Free()
				}
				e.Free()
			}
		}
	})
}

func BenchmarkPhilox(b *testing.B) {
	n := 1 << 20
	for _, stride := range []int{1, 3} {
		b.Run(fmt.Sprintf("stride=%d", stride), func(b *testing.B) {
			bench(b, wordsProg(ir.View{Shape: []int{n}, Strides: []int{stride}}, [4]uint32{1, 2, 3, 4}), float64(n), "Gword/s")
		})
	}
}
