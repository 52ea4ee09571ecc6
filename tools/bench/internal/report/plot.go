package report

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"image/color"
	"math"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The size of a plot, and of its letters, in points: at the width of a phone they are
// still legible.
const (
	plotWidth  = 460
	plotHeight = 300
	letters    = 12.5
)

// Colours stand for variables of the style sheet until the SVG is written.
var (
	ink    = color.NRGBA{R: 0xF0, B: 0xAB, A: 0xFF}
	grid   = color.NRGBA{R: 0xF1, B: 0xAB, A: 0xFF}
	placed = regexp.MustCompile(`#([0-9A-F]{2})00AB`)
)

// colours are how many devices have one of their own.
const colours = 8

func seriesColour(i int) color.Color { return color.NRGBA{R: uint8(i % colours), B: 0xAB, A: 0xFF} }

// A series is a line or points of a plot.
type series struct {
	colour int
	xy     plotter.XYs
	dashed bool
	points bool // without a line
}

// A chart is a plot with both axes logarithmic.
type chart struct {
	title, x, y  string // what the axes say
	unitX, unitY string // of the numbers beside them
	series       []series
}

// svg draws the chart; "" where it has no point.
func (c *chart) svg() template.HTML {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = c.x, c.y
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = decades{c.unitX, 6}, decades{c.unitY, 7}
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle.Color, a.Tick.LineStyle.Color = ink, ink
		for _, s := range []*text.Style{&a.Label.TextStyle, &a.Tick.Label} {
			s.Color = ink
			s.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: letters}
		}
		a.Padding = 4
		a.Label.Padding = 4
	}
	lines := plotter.NewGrid()
	lines.Vertical.Color, lines.Horizontal.Color = grid, grid
	p.Add(lines)
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{}
	for _, s := range c.series {
		for _, xy := range s.xy {
			for k, v := range []float64{xy.X, xy.Y} {
				low[k], high[k] = min(low[k], v), max(high[k], v)
			}
		}
	}
	if math.IsInf(low[0], 1) {
		return ""
	}
	for _, s := range c.series {
		if len(s.xy) == 0 {
			continue
		}
		if !s.points {
			l, err := plotter.NewLine(s.xy)
			if err != nil {
				return ""
			}
			l.Color, l.Width = seriesColour(s.colour), 2
			if s.dashed {
				l.Dashes = []vg.Length{5, 4}
			}
			p.Add(l)
		}
		if !s.dashed {
			dots, err := plotter.NewScatter(s.xy)
			if err != nil {
				return ""
			}
			dots.GlyphStyle = draw.GlyphStyle{Color: seriesColour(s.colour), Radius: 2.5, Shape: glyph(s.colour)}
			p.Add(dots)
		}
	}
	p.X.Min, p.X.Max = around(low[0], high[0])
	p.Y.Min, p.Y.Max = around(low[1], high[1])
	canvas := vgsvg.New(plotWidth, plotHeight)
	p.Draw(draw.Crop(draw.New(canvas), 2, -10, 2, -4))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return ""
	}
	return themed(b.String(), c.title)
}

// glyph gives each colour a shape too.
func glyph(i int) draw.GlyphDrawer {
	return []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}}[i%3]
}

// around widens a range, so that no point lies on its edge and it is never empty.
func around(low, high float64) (float64, float64) { return low / 1.3, high * 1.3 }

// themed takes the head off an SVG, names it, and puts variables for its colours.
func themed(svg, title string) template.HTML {
	if i := strings.Index(svg, "<g "); i >= 0 {
		svg = svg[i:]
	}
	svg = placed.ReplaceAllStringFunc(svg, func(s string) string {
		var n int
		fmt.Sscanf(s[1:3], "%X", &n)
		switch n {
		case 0xF0:
			return "var(--ink2)"
		case 0xF1:
			return "var(--grid)"
		}
		return fmt.Sprintf("var(--s%d)", n%colours)
	})
	svg = strings.ReplaceAll(svg, "font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;", "")
	right, top := 0.0, 0.0
	for _, m := range moved.FindAllStringSubmatch(svg, -1) {
		var x, y float64
		fmt.Sscan(m[1], &x)
		fmt.Sscan(m[2], &y)
		right, top = max(right, x), max(top, y)
	}
	right, top = min(right+14, plotWidth), min(top+10, plotHeight)
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 %.1f %.1f %.1f" role="img" aria-label="%s">%s`, plotHeight-top, right, top, html.EscapeString(title), svg))
}

// moved finds the points of paths. Plots leave more room beside their axes than their
// labels need; the page shows the part that is used.
var moved = regexp.MustCompile(`[ML]([0-9.]+),([0-9.]+)`)

// decades are ticks at powers of ten, with labels at most so many.
type decades struct {
	unit string
	most int
}

// Ticks implements plot.Ticker.
func (d decades) Ticks(low, high float64) (l []plot.Tick) {
	first, last := int(math.Ceil(math.Log10(low)-1e-9)), int(math.Floor(math.Log10(high)+1e-9))
	if last-first < 1 { // not even two powers: halves and fifths too
		for e := first - 1; e <= last; e++ {
			for _, m := range []float64{1, 2, 5} {
				if x := m * math.Pow10(e); x >= low && x <= high {
					l = append(l, plot.Tick{Value: x, Label: short(x, d.unit)})
				}
			}
		}
		return l
	}
	every := (last-first)/d.most + 1
	if every == 2 {
		every = 3 // whole prefixes
	}
	for e := first; e <= last; e++ {
		t := plot.Tick{Value: math.Pow10(e)}
		if (e-first)%every == 0 {
			t.Label = short(t.Value, d.unit)
		}
		l = append(l, t)
	}
	return l
}

// short shows a power of ten with a prefix.
func short(x float64, unit string) string {
	e := int(math.Floor(math.Log10(x) + 1e-9))
	i := int(math.Floor(float64(e) / 3))
	i = min(max(i, -3), 4)
	if unit == "s" {
		i = min(i, 0)
	}
	s := fmt.Sprintf("%.4g", x/math.Pow10(3*i))
	prefix := map[int]string{-3: "n", -2: "µ", -1: "m", 1: "k", 2: "M", 3: "G", 4: "T"}[i]
	if unit == "" && i < 0 {
		return fmt.Sprintf("%.4g", x)
	}
	if p := prefix + unit; p != "" {
		s += " " + p
	}
	return s
}
