package auto

import (
	"math"
	"sort"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A family is a kind of work that a device does at a speed of its own.
type family uint8

const (
	bytesMoved family = iota // bytes that instructions read and write
	cheapOps                 // elementwise ops a processor has an instruction for
	costlyOps                // the others: exp, tanh, pow, …
	folded                   // elements that reductions take in
	product                  // floating-point operations of matrix products
	gathered                 // elements picked by index or added at one
	numFamilies
)

var familyNames = [numFamilies]string{"bytes", "ops", "costly", "fold", "product", "gather"}

// String returns the name by which records call the family.
func (f family) String() string { return familyNames[f] }

// A work is how much an instruction does, in the units of each family.
type work [numFamilies]float64

// A point of a curve: so many units take so many seconds.
type point struct {
	Units   float64 `json:"units"`
	Seconds float64 `json:"seconds"`
}

// A curve is the time of one family's work on a device, by measured points of
// ascending units.
type curve []point

// at returns the seconds of so many units: between points on a straight line in
// logarithms, outside of them in proportion.
func (c curve) at(units float64) float64 {
	if units <= 0 || len(c) == 0 {
		return 0
	}
	i := sort.Search(len(c), func(i int) bool { return c[i].Units >= units })
	switch {
	case i == 0:
		return c[0].Seconds * units / c[0].Units
	case i == len(c):
		last := c[len(c)-1]
		return last.Seconds * units / last.Units
	}
	a, b := c[i-1], c[i]
	part := math.Log(units/a.Units) / math.Log(b.Units/a.Units)
	return a.Seconds * math.Pow(b.Seconds/a.Seconds, part)
}

// A transfer is what it takes to copy bytes between the host and a device.
type transfer struct {
	Latency   float64 `json:"latency"`   // seconds of the least copy, the wait included
	Bandwidth float64 `json:"bandwidth"` // bytes a second of a large one
}

func (t transfer) at(bytes float64) float64 {
	if bytes <= 0 {
		return 0
	}
	return t.Latency + bytes/t.Bandwidth
}

// costs are what calibration finds out about a device. Times are in seconds.
type costs struct {
	// Launch is the time from the start of a program of one element until the host
	// has waited for it.
	Launch float64 `json:"launch"`
	// Step is the time of each instruction however little it does.
	Step     float64            `json:"step"`
	Families [numFamilies]curve `json:"families"`
	Write    transfer           `json:"write"` // host to device
	Read     transfer           `json:"read"`  // device to host
	// Compile is the time to make a program of one instruction ready to run.
	Compile float64 `json:"compile"`
}

// launches stands, where a family is asked for, for the share of launching.
const launches = numFamilies

// estimate returns the seconds of a program that does so much in each instruction,
// and the family that takes most of them.
func (c *costs) estimate(instrs []work) (seconds float64, most family) {
	var share [numFamilies + 1]float64
	share[launches] = c.Launch
	for i := range instrs {
		w := &instrs[i]
		moving := c.Families[bytesMoved].at(w[bytesMoved])
		var doing, largest float64
		largestOf := bytesMoved
		for f := cheapOps; f < numFamilies; f++ {
			t := c.Families[f].at(w[f])
			doing += t
			if t > largest {
				largest, largestOf = t, f
			}
		}
		switch {
		case c.Step >= max(moving, doing):
			share[launches] += c.Step
		case moving >= doing:
			share[bytesMoved] += moving
		default:
			share[largestOf] += doing
		}
	}
	for f, s := range share {
		seconds += s
		if s > share[most] {
			most = family(f)
		}
	}
	return seconds, most
}

// worksOf counts what each instruction of a program does.
func worksOf(p *ir.Program) []work {
	l := make([]work, len(p.Instrs))
	for i, in := range p.Instrs {
		w := &l[i]
		for _, o := range in.Reads() {
			w[bytesMoved] += float64(min(ir.Size(o.View.Shape), p.Slots[o.Slot].Len) * p.Slots[o.Slot].DType.Size())
		}
		for _, s := range in.Writes() {
			w[bytesMoved] += float64(p.Slots[s].Bytes())
		}
		size := func(shape []int) float64 { return float64(ir.Size(shape)) }
		switch in := in.(type) {
		case *ir.Map:
			w.chain(in.Chain, size(in.Shape))
		case *ir.Reduce:
			n := size(in.Outer) * size(in.Inner)
			w.chain(in.Pre, n)
			w.chain(in.Post, size(in.Outer))
			w[folded] += n
		case *ir.MatMul:
			n := size(in.Batch) * float64(in.M) * float64(in.N)
			w[product] += 2 * n * float64(in.K)
			w.chain(in.Post, n)
		case *ir.Gather:
			w[gathered] += size(in.Shape)
		case *ir.ScatterAdd:
			w[gathered] += size(in.Shape) + size(in.Updates.View.Shape)
		}
	}
	return l
}

// chain adds the ops of a chain at n positions.
func (w *work) chain(c ir.Chain, n float64) {
	for _, s := range c {
		info := s.Op.Info()
		switch {
		case info.Kind == ir.KindSource:
		case info.Cheap:
			w[cheapOps] += n
		default:
			w[costlyOps] += n
		}
	}
}
