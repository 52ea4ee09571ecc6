package main

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"
)

// A progress shows which case is under way: a bar on a terminal, else a line a
// case.
type progress struct {
	w     io.Writer
	total int
	done  int
	label atomic.Value // string
	p     *mpb.Progress
	bar   *mpb.Bar
}

func newProgress(w io.Writer, total int) *progress {
	p := &progress{w: w, total: total}
	p.label.Store("")
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || !cwriter.IsTerminal(int(f.Fd())) {
		return p
	}
	p.p = mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh())
	p.bar = p.p.AddBar(int64(total), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.CountersNoUnit("%d/%d ")),
		mpb.AppendDecorators(decor.AverageETA(decor.ET_STYLE_GO), decor.Any(func(decor.Statistics) string {
			return "  " + p.label.Load().(string)
		})))
	return p
}

// begin names what comes next.
func (p *progress) begin(label string) {
	p.done++
	p.label.Store(label)
	if p.bar == nil {
		fmt.Fprintf(p.w, "%d/%d %s\n", p.done, p.total, label)
	}
}

// end counts what began.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Increment()
	}
}

// close takes the bar off the screen.
func (p *progress) close() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.p.Wait()
	}
}
