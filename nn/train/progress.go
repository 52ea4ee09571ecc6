package train

import (
	"fmt"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"
)

// A bar shows how far an epoch is, where the output is a terminal.
type bar struct {
	p        *mpb.Progress
	b        *mpb.Bar
	start    time.Time
	examples atomic.Int64
	mean     atomic.Uint64 // bits of the last losses' mean, or unread
}

// unread are bits of a NaN that no arithmetic makes.
const unread = math.MaxUint64

func newBar(w io.Writer, name string, steps int, unit string) *bar {
	b := &bar{start: time.Now()}
	b.mean.Store(unread)
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || !cwriter.IsTerminal(int(f.Fd())) {
		return b
	}
	b.p = mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh())
	b.b = b.p.AddBar(int64(steps), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name+" "), decor.CountersNoUnit("%d/%d")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			loss, rate := math.Float64frombits(b.mean.Load()), float64(b.examples.Load())/time.Since(b.start).Seconds()
			if b.mean.Load() == unread {
				return fmt.Sprintf("%.0f %s/s  ", rate, unit)
			}
			return fmt.Sprintf("loss %.4f  %.0f %s/s  ", loss, rate, unit)
		}), decor.AverageETA(decor.ET_STYLE_GO)))
	return b
}

func (b *bar) loss(mean float64) { b.mean.Store(math.Float64bits(mean)) }

// advance counts a step of n examples.
func (b *bar) advance(n int) {
	b.examples.Add(int64(n))
	if b.b != nil {
		b.b.Increment()
	}
}

// close takes the bar off the screen.
func (b *bar) close() {
	if b.b == nil {
		return
	}
	b.b.Abort(true) // does nothing where the bar is complete
	b.p.Wait()
	b.b, b.p = nil, nil
}

// line sums up an epoch.
func (e Epoch) line(epochs int, unit string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "epoch %d/%d: loss %.4f", e.Number, epochs, e.Loss)
	if !math.IsNaN(e.Test.Loss) {
		fmt.Fprintf(&s, ", test loss %.4f", e.Test.Loss)
	}
	if !math.IsNaN(e.Test.Accuracy) {
		fmt.Fprintf(&s, ", test accuracy %.2f %%", 100*e.Test.Accuracy)
	}
	fmt.Fprintf(&s, ", %.0f %s/s, %.1f s", e.Rate, unit, e.Duration.Seconds())
	return s.String()
}
