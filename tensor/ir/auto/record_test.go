package auto

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// some are costs that a record may have.
func some() costs {
	c := costs{Launch: 1e-5, Step: 1e-6, Write: transfer{1e-5, 1e9}, Read: transfer{1e-5, 1e9}, Compile: 1e-3}
	for f := range c.Families {
		c.Families[f] = curve{{1e3, 1e-6}, {1e6, 1e-3}}
	}
	return c
}

// A record comes back as it was written, for the device that it is about.
func TestRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	info := ir.Info{Name: "cpu", Model: "some", Driver: "a"}
	require.Zero(t, readRecord(dir, &info))
	require.NoError(t, writeRecord(dir, &info, record{Costs: some(), Vain: 1}))
	r := readRecord(dir, &info)
	require.Equal(t, some(), r.Costs)
	require.Equal(t, 1, r.Vain)
	other := info
	other.Driver = "b"
	require.Zero(t, readRecord(dir, &other))
	require.NoError(t, os.Rename(recordPath(dir, &info), recordPath(dir, &other)))
	require.Zero(t, readRecord(dir, &other), "of another device")
	require.NoError(t, os.WriteFile(recordPath(dir, &info), make([]byte, mostRecord+1), 0o600))
	require.Zero(t, readRecord(dir, &info), "too long")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 2, "nothing else is left behind")
	require.Error(t, writeRecord(filepath.Join(recordPath(dir, &info), "below"), &info, record{}))
}

// A device is calibrated once, and where the time was up the rest comes later.
func TestCalibratedOnce(t *testing.T) {
	o := Options{CacheDir: t.TempDir(), Budget: 30 * time.Millisecond}
	measured := 0
	for range 6 {
		d, err := New([]ir.Device{ref.NewDevice()}, o)
		require.NoError(t, err)
		for f, c := range d.members[0].costs.Families {
			require.NotEmpty(t, c, family(f))
		}
		if d.members[0].measured {
			measured++
		}
		last := d.members[0].measured
		require.NoError(t, d.Close())
		if !last {
			break
		}
	}
	require.Positive(t, measured)
	require.Less(t, measured, 6)
	// A broken record is replaced.
	info := ref.NewDevice().Info()
	require.NoError(t, os.WriteFile(recordPath(o.CacheDir, info), []byte("{"), 0o600))
	d, err := New([]ir.Device{ref.NewDevice()}, o)
	require.NoError(t, err)
	require.NoError(t, d.Close())
	require.NotZero(t, readRecord(o.CacheDir, info).Costs.Launch)
}

// No file makes the parser panic, or gives numbers that cannot be calculated with.
func FuzzRecord(f *testing.F) {
	good, err := json.Marshal(record{Version: recordVersion, Device: "x", Costs: some()})
	require.NoError(f, err)
	f.Add(good)
	for _, x := range []string{"", "{", "[]", "null", `{"version":1}`, strings.Repeat("[", 1000)} {
		f.Add([]byte(x))
	}
	text := string(good)
	for _, v := range []string{"-1", "0", "1e999", `"x"`, "null", "1e-400", "1e308"} {
		f.Add([]byte(strings.ReplaceAll(text, "0.000001", v)))
		f.Add([]byte(strings.ReplaceAll(text, "1000000000", v)))
		f.Add([]byte(strings.ReplaceAll(text, "1000", v)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, ok := parseRecord(data)
		if !ok {
			require.Zero(t, r)
			return
		}
		c := r.Costs.whole()
		var w work
		for i := range w {
			w[i] = 1e5
		}
		s, _ := c.estimate([]work{w, {}})
		require.GreaterOrEqual(t, s, 0.0)
		require.False(t, s != s)
		data, err := json.Marshal(r)
		require.NoError(t, err)
		_, ok = parseRecord(data)
		require.True(t, ok)
	})
}

// A curve goes through its points, and is proportional outside of them.
func TestCurve(t *testing.T) {
	c := curve{{1e3, 1e-6}, {1e5, 1e-3}}
	require.InDelta(t, 1e-6, c.at(1e3), 1e-12)
	require.InDelta(t, 1e-3, c.at(1e5), 1e-9)
	require.InDelta(t, 1e-7, c.at(100), 1e-12)
	require.InDelta(t, 1e-1, c.at(1e7), 1e-9)
	require.InDelta(t, 3.162e-5, c.at(1e4), 1e-8)
	require.Zero(t, c.at(0))
	require.Zero(t, curve(nil).at(5))
}

// The work of an instruction is counted, and the model adds up what it takes.
func TestEstimate(t *testing.T) {
	const n = 64
	w := worksOf(productProgram(n))[0]
	require.EqualValues(t, 2*n*n*n, w[product])
	require.EqualValues(t, 3*4*n*n, w[bytesMoved])
	w = worksOf(foldProgram(1 << 10))[0]
	require.EqualValues(t, 1<<10, w[folded])
	w = worksOf(gatherProgram(100))[0]
	require.EqualValues(t, 100, w[gathered])
	w = worksOf(mapProgram(10, []ir.Op{ir.OpTanh, ir.OpNeg, ir.OpExp}))[0]
	require.EqualValues(t, 20, w[costlyOps])
	require.EqualValues(t, 10, w[cheapOps])

	c := some()
	s, most := c.estimate(nil)
	require.Equal(t, c.Launch, s)
	require.Equal(t, launches, most)
	s, most = c.estimate([]work{{product: 1e6, cheapOps: 1e6, bytesMoved: 1e3}})
	require.InDelta(t, 1e-5+2e-3, s, 1e-9, "the ops of an instruction follow each other, and hide what moves")
	require.Equal(t, product, max(most, product))
	s, most = c.estimate([]work{{bytesMoved: 1e6, cheapOps: 1e3}, {}})
	require.InDelta(t, 1e-5+1e-3+1e-6, s, 1e-9)
	require.Equal(t, bytesMoved, most)
}

// What is measured of one program corrects the estimate of others that are like it.
func TestLearn(t *testing.T) {
	d, err := New([]ir.Device{ref.NewDevice()}, Options{Budget: time.Millisecond})
	require.NoError(t, err)
	m := d.members[0]
	m.costs = some()
	like, other := worksOf(productProgram(1000)), worksOf(foldProgram(1<<24))
	before, rest := m.estimate(like), m.estimate(other)
	for range 30 {
		m.learn(worksOf(productProgram(500)), 3*(m.costs.estimate2(productProgram(500))))
	}
	require.InEpsilon(t, 3*before, m.estimate(like), 0.2)
	require.Equal(t, rest, m.estimate(other))
	m.learn(like, 0)
	m.learn(like, 1e30) // is not believed
	require.Less(t, m.estimate(like), 20*before)
}

// estimate2 is the model's time of a program alone.
func (c *costs) estimate2(p *ir.Program) float64 {
	s, _ := c.estimate(worksOf(p))
	return s
}

// All probes are programs, whose work is of their family.
func TestProbes(t *testing.T) {
	require.NoError(t, mapChain(17, 64).Check())
	for _, p := range probes {
		for _, n := range p.sizes {
			prog := p.program(n)
			require.NoError(t, prog.Check(), p.family)
			require.Positive(t, worksOf(prog)[0][p.family], p.family)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err := calibrate(ctx, ref.NewDevice(), time.Now, time.Millisecond, costs{})
	require.ErrorIs(t, err, context.Canceled)
}
