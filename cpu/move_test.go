package cpu

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// eachMoves runs f with the moves of every level.
func eachMoves(t *testing.T, f func(t *testing.T, m *moves)) {
	for _, lv := range levels() {
		t.Run(lv.name, func(t *testing.T) { f(t, &lv.kernels.moves) })
	}
}

// randomBytes returns n bytes, the first at off bytes past a multiple of align.
func randomBytes(rng *rand.Rand, n, off int) []byte {
	b, _ := newBlock(0, n+off)
	for i := range b.mem {
		b.mem[i] = byte(rng.Uint32())
	}
	return b.mem[off : off+n]
}

func at(b []byte, i int) unsafe.Pointer { return unsafe.Pointer(&b[i]) }

// Rows are copied, and nothing beside them is written.
func TestCopyRows(t *testing.T) {
	eachMoves(t, func(t *testing.T, m *moves) {
		rng := rand.New(rand.NewPCG(1, 2))
		for range 400 {
			n, rows := 1+rng.IntN(300), 1+rng.IntN(5)
			ds, ss := n+rng.IntN(80), n+rng.IntN(80)
			stream := rng.IntN(2) == 0
			if rng.IntN(2) == 0 {
				ds = (ds + align - 1) &^ (align - 1)
			}
			off := rng.IntN(3) * rng.IntN(align)
			dst, src := randomBytes(rng, rows*ds+64, off), randomBytes(rng, rows*ss, rng.IntN(64))
			want := bytes.Clone(dst)
			for i := range rows {
				copy(want[i*ds:], src[i*ss:i*ss+n])
			}
			m.copyTo(at(dst, 0), at(src, 0), ds, ss, rows, n, stream)
			require.True(t, bytes.Equal(want, dst))
		}
		for range 400 {
			n := 1 + rng.IntN(1000)
			dst, src := randomBytes(rng, n+64, rng.IntN(align)), randomBytes(rng, n, rng.IntN(64))
			want := bytes.Clone(dst)
			copy(want, src)
			m.stream(at(dst, 0), at(src, 0), n)
			require.True(t, bytes.Equal(want, dst))
		}
	})
}

func TestGatherRows(t *testing.T) {
	eachMoves(t, func(t *testing.T, m *moves) {
		rng := rand.New(rand.NewPCG(1, 2))
		src := randomBytes(rng, 4000, 0)
		for range 400 {
			n := 1 + rng.IntN(300)
			offs := make([]int, 1+rng.IntN(40))
			dst := randomBytes(rng, n*len(offs)+64, rng.IntN(64))
			want := bytes.Clone(dst)
			for i := range offs {
				offs[i] = rng.IntN(len(src) - n)
				copy(want[i*n:], src[offs[i]:offs[i]+n])
			}
			m.gather(at(dst, 0), at(src, 0), offs, n)
			require.True(t, bytes.Equal(want, dst))
		}
	})
}

func TestTurn(t *testing.T) {
	eachMoves(t, func(t *testing.T, m *moves) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, size := range []int{1, 2, 4, 8} {
			for range 300 {
				rows, cols, step := 1+rng.IntN(40), 1+rng.IntN(70), 1+rng.IntN(2)
				ds, ss := (cols+rng.IntN(9))*size, (rows*step+rng.IntN(9))*size
				dst, src := randomBytes(rng, rows*ds+64, 0), randomBytes(rng, cols*ss, size*rng.IntN(8))
				want := bytes.Clone(dst)
				for r := range rows {
					for c := range cols {
						copy(want[r*ds+c*size:], src[c*ss+r*step*size:][:size])
					}
				}
				m.turn(at(dst, 0), at(src, 0), ds, ss, step, rows, cols, size)
				require.True(t, bytes.Equal(want, dst))
			}
		}
	})
}
