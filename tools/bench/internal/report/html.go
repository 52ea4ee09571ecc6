package report

import (
	_ "embed"
	"html/template"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// A view is what the page shows.
type view struct {
	Runs    []runView
	Ops     []figure
	Limits  []figure
	Scaling []figure
	Several bool
}

// A runView is a run with what is said of it.
type runView struct {
	Header   record.Header
	Number   int
	Took     string
	Missing  []pair
	Devices  []deviceView
	Answer   []paragraph
	Roofline figure
	Cross    []crossRow
	Others   []string // the devices of the columns of Cross
	Wrong    []pair
	Tables   []table
}

type pair struct{ Name, Value string }

type deviceView struct {
	Key    key
	Device record.Device
	Rows   []fact
}

// A fact is a figure with its name.
type fact struct {
	Name, Key, Text string
}

// A crossRow is an op with the sizes from which each device is faster than the processor.
type crossRow struct {
	Op    string
	Cells []crossCell
}

type crossCell struct {
	Size, SizeKey string // "" where it never is
	Gain, GainKey string // how many times as fast the faster one is
	Who           string // the faster one
}

// A table has all numbers of a suite.
type table struct {
	Suite string
	Heads []string
	Rows  [][]string
}

// Write writes the page. The figures are derived anew, whatever the file says.
func Write(w io.Writer, f *record.File) error {
	Derive(f)
	l := sources(f)
	v := view{Ops: opFigures(l), Limits: limitFigures(l), Scaling: scaleFigures(l), Several: len(l) > 1}
	for i, s := range l {
		v.Runs = append(v.Runs, s.view(i+1))
	}
	return page.Execute(w, v)
}

func (s *source) view(number int) runView {
	r := s.run
	v := runView{Header: r.Header, Number: number, Took: record.Show(r.Header.Took, "s"), Answer: s.answer(), Roofline: roofline(s)}
	for _, k := range slices.Sorted(maps.Keys(r.Header.Missing)) {
		v.Missing = append(v.Missing, pair{k, r.Header.Missing[k]})
	}
	for _, d := range r.Devices {
		dv := deviceView{Key: key{s.colour[d.ID], s.name[d.ID]}, Device: d}
		for _, f := range []struct{ name, key string }{
			{"start of a program, with the wait", "submit"}, {"a kernel after another", "dispatch"},
			{"copy, largest measured", "copy"}, {"copy, best size", "copy/best"}, {"host to device", "upload"}, {"device to host", "download"},
			{"multiply-adds of a kernel", "multiply-add"}, {"best product of matrices", "matmul"}, {"highest rate of any kind", "peak"},
			{"operations for each byte, above which memory waits", "ridge"}, {"lanes of the cores' vectors", "lanes"},
		} {
			if fact, ok := s.fact(d.ID + "/" + f.key); ok {
				fact.Name = f.name
				dv.Rows = append(dv.Rows, fact)
			}
		}
		v.Devices = append(v.Devices, dv)
	}
	s.crossovers(&v)
	s.tables(&v)
	return v
}

// fact shows a derived figure.
func (s *source) fact(key string) (fact, bool) {
	for _, f := range s.run.Figures {
		if f.Key == key {
			return fact{Key: key, Text: record.Show(rounded(f), f.Unit)}, true
		}
	}
	return fact{}, false
}

// rounded is a count without the fraction that an interpolation gave it.
func rounded(f record.Figure) float64 {
	if f.Unit == "s" || f.Unit == "times" || strings.Contains(f.Unit, "B") || strings.HasSuffix(f.Unit, "/s") || f.Unit == "FLOP per byte" {
		return f.Value
	}
	return math.Ceil(f.Value)
}

func (s *source) crossovers(v *runView) {
	var others []record.Device
	for _, d := range s.run.Devices {
		if d.ID != host {
			others = append(others, d)
			v.Others = append(v.Others, s.name[d.ID])
		}
	}
	if len(others) == 0 || s.run.DeviceOf(host) == nil {
		return
	}
	for _, c := range s.curves {
		if c.device != host || c.suite == limits || c.suite == scaling {
			continue
		}
		row, some := crossRow{Op: tableName(c)}, false
		for _, d := range others {
			var cell crossCell
			if f, ok := s.fact(d.ID + "/crossover/" + c.suite + "/" + c.op); ok {
				cell.Size, cell.SizeKey = f.Text, f.Key
			}
			if f, ok := s.fact(d.ID + "/gain/" + c.suite + "/" + c.op); ok {
				cell.Gain, cell.GainKey, cell.Who, some = f.Text, f.Key, "device", true
			}
			if f, ok := s.fact(d.ID + "/loss/" + c.suite + "/" + c.op); ok {
				cell.Gain, cell.GainKey, cell.Who, some = f.Text, f.Key, "processor", true
			}
			row.Cells = append(row.Cells, cell)
		}
		if some {
			v.Cross = append(v.Cross, row)
		}
	}
}

func tableName(c *curve) string { return c.suite + ": " + title("", c.op) }

// tables are all results, a row a case and a column a device.
func (s *source) tables(v *runView) {
	type at struct{ suite, name string }
	cells := map[at]map[string]*record.Result{}
	var order []at
	for i := range s.run.Results {
		r := &s.run.Results[i]
		k := at{r.Suite, r.Case}
		if r.Group != "" {
			k.name = r.Group + "/" + k.name
		}
		if cells[k] == nil {
			cells[k] = map[string]*record.Result{}
			order = append(order, k)
		}
		cells[k][r.Device] = r
		if r.Error != "" {
			v.Wrong = append(v.Wrong, pair{r.ID(), r.Error})
		}
	}
	devices := []record.Device{{ID: ""}}
	if len(s.run.Devices) > 0 {
		devices = s.run.Devices
	}
	for _, k := range order {
		if n := len(v.Tables); n == 0 || v.Tables[n-1].Suite != k.suite {
			t := table{Suite: k.suite, Heads: []string{"case"}}
			for _, d := range devices {
				t.Heads = append(t.Heads, s.name[d.ID])
			}
			v.Tables = append(v.Tables, t)
		}
		row := []string{k.name}
		for _, d := range devices {
			row = append(row, tableCell(cells[k][d.ID]))
		}
		t := &v.Tables[len(v.Tables)-1]
		t.Rows = append(t.Rows, row)
	}
}

// tableCell shows a result: the median and the interval, and the device's own time.
func tableCell(r *record.Result) string {
	switch {
	case r == nil:
		return "–"
	case r.Error != "":
		return "failed"
	case r.Skipped != "":
		return "skipped"
	case r.Seconds.N == 0:
		return "–"
	}
	s := record.Show(r.Seconds.Median, "s")
	if r.Interval.High > 0 {
		s += " (" + record.Show(r.Interval.Low, "s") + " – " + record.Show(r.Interval.High, "s") + ")"
	}
	if r.OnDevice.N > 0 {
		s += ", device " + record.Show(r.OnDevice.Median, "s")
	}
	return s
}
