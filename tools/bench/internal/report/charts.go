package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// A figure is a plot in the page.
type figure struct {
	Title, Caption string
	SVG            template.HTML
	Keys           []key // of its colours
	Dashed         string
}

// A key is a line of a legend.
type key struct {
	Colour int
	Name   string
}

// A source is a run with the colours and names of its devices.
type source struct {
	run    *record.Run
	curves []*curve
	colour map[string]int
	name   map[string]string
}

// sources gives each device of each run a colour and a name, which says the machine where
// there are several.
func sources(f *record.File) (l []*source) {
	n := 0
	for i := range f.Runs {
		s := &source{run: &f.Runs[i], curves: curves(&f.Runs[i]), colour: map[string]int{}, name: map[string]string{}}
		used := map[string]bool{}
		for _, d := range s.run.Devices {
			name := d.Label()
			if used[name] {
				name += ", " + d.ID
			}
			used[name] = true
			if len(f.Runs) > 1 {
				name = fmt.Sprintf("%s (run %d)", name, i+1)
			}
			s.colour[d.ID], s.name[d.ID] = n%colours, name
			n++
		}
		l = append(l, s)
	}
	return l
}

// plotOf draws curves of all sources; y makes a point's height of a result.
func plotOf(l []*source, c chart, match func(*curve) (show, dashed bool), y func(*record.Result) float64) (f figure) {
	for _, s := range l {
		for _, v := range s.curves {
			show, dashed := match(v)
			if !show {
				continue
			}
			line := series{colour: s.colour[v.device], dashed: dashed}
			for _, r := range v.results {
				if h := y(r); r.Size > 0 && h > 0 {
					line.xy = append(line.xy, plotter.XY{X: r.Size, Y: h})
				}
			}
			if len(line.xy) == 0 {
				continue
			}
			c.series = append(c.series, line)
			f.add(key{s.colour[v.device], s.name[v.device]})
			if dashed {
				f.Dashed = "dashed: its gradient"
			}
		}
	}
	f.Title, f.SVG = c.title, c.svg()
	return f
}

func (f *figure) add(k key) {
	if !slices.Contains(f.Keys, k) {
		f.Keys = append(f.Keys, k)
	}
}

func seconds(r *record.Result) float64 { return r.Seconds.Median }

// opFigures are the times of each op by size: where lines cross, one device overtakes
// another.
func opFigures(l []*source) (figures []figure) {
	var seen []string
	for _, s := range l {
		for _, c := range s.curves {
			op := strings.TrimSuffix(c.op, backward)
			id := c.suite + "/" + op
			if c.suite == limits || c.suite == scaling || slices.Contains(seen, id) || c.suite == train && op != c.op {
				continue
			}
			seen = append(seen, id)
			f := plotOf(l, chart{title: title(c.suite, op), x: axis(c.suite), y: "time of a call", unitY: "s"}, func(v *curve) (bool, bool) {
				return v.suite == c.suite && strings.TrimSuffix(v.op, backward) == op, strings.HasSuffix(v.op, backward)
			}, seconds)
			if f.SVG != "" {
				figures = append(figures, f)
			}
		}
	}
	return figures
}

// title names an op for people.
func title(suite, op string) string {
	if suite == train && op == "forward" {
		return "perceptron: loss"
	}
	if suite == train {
		return "perceptron: " + op + " of training"
	}
	return strings.ReplaceAll(op, "_", " ")
}

func axis(suite string) string {
	switch suite {
	case matmul:
		return "rows and columns of each matrix"
	case train:
		return "examples in a batch"
	}
	return "elements"
}

// roofline draws what a device can reach by how many operations are made with each byte,
// and what was reached.
func roofline(s *source) figure {
	c := chart{title: "Roofline", x: "operations for each byte moved", y: "operations a second", unitY: "FLOP/s"}
	f := figure{Title: "Roofline", Caption: "The slope is what memory allows, the flat part what the arithmetic reaches. Points are cases: those on the slope wait for memory, those under the flat part for arithmetic, those far below for their start. Points above the slope are of arrays that fit a cache."}
	for _, d := range s.run.Devices {
		memory, ok := s.run.Figure(d.ID + "/copy")
		peak, ok2 := s.run.Figure(d.ID + "/peak")
		if !ok || !ok2 {
			continue
		}
		colour := s.colour[d.ID]
		ridge := peak / memory
		least, most := 0.05, math.Max(500, 4*ridge)
		roof := plotter.XYs{{X: least, Y: least * memory}, {X: ridge, Y: peak}, {X: most, Y: peak}}
		c.series = append(c.series, series{colour: colour, xy: roof, dashed: true})
		f.add(key{colour, s.name[d.ID]})
		points := series{colour: colour, points: true}
		for _, v := range s.curves {
			if v.device != d.ID || v.suite == limits || v.suite == scaling {
				continue
			}
			for _, r := range v.results {
				if r.Flops > 0 && r.Bytes > 0 && r.Flops/r.Seconds.Median > peak/1e4 {
					points.xy = append(points.xy, plotter.XY{X: r.Flops / r.Bytes, Y: r.Flops / r.Seconds.Median})
				}
			}
		}
		c.series = append(c.series, points)
	}
	f.Dashed = "dashed: the roof"
	f.SVG = c.svg()
	return f
}

// limitFigures are what devices can do at all, by size.
func limitFigures(l []*source) (figures []figure) {
	of := func(suite, op string) func(*curve) (bool, bool) {
		return func(c *curve) (bool, bool) { return c.suite == suite && c.op == op, false }
	}
	add := func(f figure, caption string) {
		if f.Caption = caption; f.SVG != "" {
			figures = append(figures, f)
		}
	}
	add(plotOf(l, chart{title: "Scaling over workgroups", x: "rows of 256 multiply-add chains", y: "time", unitY: "s"}, of(limits, "multiply-add"), seconds),
		"About one workgroup computes a row. While the line is flat, lanes are idle and more work costs nothing; where it turns, all are busy and time grows with work.")
	add(plotOf(l, chart{title: "Rate over workgroups", x: "rows of 256 multiply-add chains", y: "operations a second", unitY: "FLOP/s"}, of(limits, "multiply-add"), func(r *record.Result) float64 {
		return r.Flops / r.Seconds.Median
	}), "The same as a rate: it levels off at what the arithmetic reaches.")
	add(plotOf(l, chart{title: "Copies", x: "float32 copied", y: "bytes read and written a second", unitY: "B/s"}, of(limits, "copy"), func(r *record.Result) float64 {
		return r.Bytes / r.Seconds.Median
	}), "Small copies cost their start. What fits a cache is faster than memory.")
	add(plotOf(l, chart{title: "Rate of products", x: axis(matmul), y: "operations a second", unitY: "FLOP/s"}, of(matmul, "matmul"), func(r *record.Result) float64 {
		return r.Flops / r.Seconds.Median
	}), "A product of n rows makes n/6 operations with each byte: the larger, the less memory matters.")
	return figures
}

// scaleFigures are how much faster the processor is with more cores.
func scaleFigures(l []*source) (figures []figure) {
	for _, s := range l {
		c := chart{title: "Scaling over cores", x: "cores", y: "times as fast as on one"}
		f := figure{Title: c.title}
		n := 0
		for _, v := range s.curves {
			if v.suite != scaling || len(v.results) < 2 {
				continue
			}
			line := series{colour: n % colours}
			for _, r := range v.results {
				line.xy = append(line.xy, plotter.XY{X: r.Size, Y: v.results[0].Seconds.Median / r.Seconds.Median})
			}
			c.series = append(c.series, line)
			f.add(key{n % colours, v.op})
			n++
		}
		if n == 0 {
			continue
		}
		f.Caption = s.run.Header.Processor + ". add moves memory, which cores share; matmul computes; step is a training step with both. On a machine with other work the last cores may not be free."
		f.SVG = c.svg()
		figures = append(figures, f)
	}
	return figures
}
