package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/fornax-ml/fornax/cpu"
)

// A shape is a product's M, N and K and which operands are transposed.
type shape struct {
	m, n, k        int
	transA, transB bool
}

func (s shape) String() string {
	t := []byte("NN")
	if s.transA {
		t[0] = 'T'
	}
	if s.transB {
		t[1] = 'T'
	}
	return fmt.Sprintf("%dx%dx%d/%s", s.m, s.n, s.k, t)
}

func (s shape) operands() (c []float32, a, b cpu.Matrix) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = rng.Float32() - 0.5
		}
		return x
	}
	a, b = cpu.Matrix{Data: random(s.m * s.k), Row: s.k, Col: 1}, cpu.Matrix{Data: random(s.k * s.n), Row: s.n, Col: 1}
	if s.transA {
		a.Row, a.Col = 1, s.m
	}
	if s.transB {
		b.Row, b.Col = 1, s.k
	}
	return make([]float32, s.m*s.n), a, b
}

// A timing is what measure returns: the shortest time of a call in nanoseconds,
// and the median over batches of the rate compared with the peak that was
// measured beside the batch, in percent.
type timing struct{ ns, share float64 }

// measure times f, which does the given operations, in short batches, since the
// machine has other work. With one worker it is processor time, and else time on
// the wall. The clock of a processor is not steady, so that each batch has a
// measure of the peak beside it.
func measure(b *testing.B, d *cpu.Device, workers int, ops float64, f func()) timing {
	clock := func() time.Duration { return time.Duration(time.Now().UnixNano()) }
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if workers == 1 {
		clock = threadTime
	}
	f()
	start := time.Now()
	f()
	batch := max(1, int(200*time.Microsecond/max(time.Since(start), 1)))
	t := timing{ns: math.Inf(1)}
	var shares []float64
	before := peakGFLOPS(d)
	b.ResetTimer()
	for b.Loop() {
		start := clock()
		for range batch {
			f()
		}
		ns := float64(clock()-start) / float64(batch)
		after := peakGFLOPS(d)
		t.ns = min(t.ns, ns)
		if after > 0 {
			shares = append(shares, 100*ops/ns/float64(workers)*2/(before+after))
		}
		before = after
	}
	if len(shares) > 0 {
		slices.Sort(shares)
		t.share = shares[len(shares)/2]
	}
	return t
}

// peakGFLOPS measures the multiply-adds of one core; 0 where they cannot be.
func peakGFLOPS(d *cpu.Device) float64 {
	if d == nil {
		return 0
	}
	start := threadTime()
	n, err := d.Peak(1 << 21)
	if err != nil {
		return 0
	}
	return float64(n) / float64(threadTime()-start)
}

// BenchmarkProduct times the entry for products: the best batch, and the median
// share of what multiply-adds on registers reach on as many cores.
func BenchmarkProduct(b *testing.B) {
	shapes := []shape{}
	for _, n := range []int{32, 64, 128, 256, 512, 1024, 2048, 4096} {
		shapes = append(shapes, shape{m: n, n: n, k: n})
	}
	for _, n := range []int{64, 256, 1024} {
		shapes = append(shapes, shape{n, n, n, false, true}, shape{n, n, n, true, false}, shape{n, n, n, true, true})
	}
	for _, s := range [][3]int{{1, 1024, 1024}, {1, 4096, 1024}, {1024, 1, 1024}, {128, 10, 784}, {1024, 10, 512}, {32, 512, 784}, {128, 512, 784}, {1024, 512, 784}} {
		shapes = append(shapes, shape{s[0], s[1], s[2], false, false}, shape{s[0], s[1], s[2], false, true})
	}
	for _, level := range cpu.Levels() {
		for _, s := range shapes {
			if level == "portable" && s.m*s.n*s.k > 1<<24 {
				continue
			}
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%v/workers=%d", level, s, workers), func(b *testing.B) {
					d := cpu.New(cpu.Options{Workers: workers, Level: level})
					defer d.Close()
					c, x, y := s.operands()
					ops := 2 * float64(s.m) * float64(s.n) * float64(s.k)
					t := measure(b, d, workers, ops, func() {
						if err := d.MatMul(c, x, y, s.m, s.n, s.k); err != nil {
							b.Fatal(err)
						}
					})
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(ops/t.ns, "GFLOP/s")
					if t.share > 0 {
						b.ReportMetric(t.share, "%_of_peak")
					}
				})
			}
		}
	}
}
