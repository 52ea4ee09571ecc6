package auto

import (
	"context"
	"errors"
	"time"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A calibration measures one device.
type calibration struct {
	ctx   context.Context
	dev   ir.Device
	now   func() time.Time
	end   time.Time     // nothing is begun after it
	part  time.Duration // that one figure may take
	costs costs
	spent float64 // seconds of compiling
	made  int     // programs compiled
}

// calibrate measures what is not known yet of a device, for at most about the budget:
// families that it did not come to, or whose kernels the device lacks, stay without a
// curve. gained is how many figures are new.
func calibrate(ctx context.Context, dev ir.Device, now func() time.Time, budget time.Duration, known costs) (_ costs, gained int, err error) {
	c := &calibration{ctx: ctx, dev: dev, now: now, end: now().Add(budget), part: budget / 80, costs: known}
	fresh := known.Launch == 0
	if fresh {
		if c.costs.Launch, err = c.best(mapProgram(1, nil)); err != nil {
			return costs{}, 0, err
		}
		gained++
	}
	for i, p := range probes {
		if i == 2 && fresh { // behind what matters most
			if err := c.transfers(); err != nil {
				return costs{}, 0, err
			}
			if err := c.steps(); err != nil {
				return costs{}, 0, err
			}
		}
		if len(known.Families[p.family]) > 0 {
			continue
		}
		if err := c.probe(p); err != nil {
			return costs{}, 0, err
		}
		if len(c.costs.Families[p.family]) > 0 {
			gained++
		}
	}
	if c.made > 0 {
		c.costs.Compile = max(c.spent/float64(c.made), 1e-7)
	}
	return c.costs, gained, nil
}

// over reports whether the time is up.
func (c *calibration) over() bool { return !c.now().Before(c.end) }

// failure is err where the calibration cannot go on, nil for a lack that is guessed.
func (c *calibration) failure(err error) error {
	if c.ctx.Err() != nil || errors.Is(err, ir.ErrDeviceLost) || errors.Is(err, ir.ErrClosed) {
		return err
	}
	return nil
}

// best returns the least seconds of a few runs, each with the wait. The first, which
// makes memory and caches warm, is not counted.
func (c *calibration) best(p *ir.Program) (float64, error) {
	begin := c.now()
	x, err := c.dev.Compile(p)
	if err != nil {
		return 0, err
	}
	defer x.Free()
	c.spent += c.now().Sub(begin).Seconds() / float64(len(p.Instrs))
	c.made++
	args := make([]ir.Buffer, p.NumArgs())
	for i, s := range p.Slots[:p.NumArgs()] {
		if args[i], err = c.dev.NewBuffer(s.Bytes()); err != nil {
			return 0, err
		}
		defer args[i].Free()
		if s.Kind == ir.Input {
			if err := args[i].Write(0, probeData(s)); err != nil {
				return 0, err
			}
		}
	}
	least := 0.0
	for n, start := 0, c.now(); n < 40; n++ {
		if t := c.now().Sub(start); n >= 4 && t > c.part || n >= 2 && t > 8*c.part {
			break
		}
		begin := c.now()
		if err := x.Run(c.ctx, args, nil); err != nil {
			return 0, err
		}
		if err := c.dev.Sync(c.ctx); err != nil {
			return 0, err
		}
		if t := max(c.now().Sub(begin).Seconds(), 1e-9); n > 0 && (least == 0 || t < least) {
			least = t
		}
	}
	return least, nil
}

// probe measures a family at a few sizes, as long as the time lasts.
func (c *calibration) probe(p probe) error {
	var l curve
	for _, n := range p.sizes {
		if c.over() {
			break
		}
		prog := p.program(n)
		t, err := c.best(prog)
		if err != nil {
			if err := c.failure(err); err != nil {
				return err
			}
			break
		}
		units := worksOf(prog)[0][p.family]
		net := max(t-c.costs.Launch, t/20)
		if k := len(l); k > 0 { // more work takes no less time
			net = max(net, l[k-1].Seconds)
		}
		l = append(l, point{units, net})
		if t > c.part.Seconds()/2 {
			break
		}
	}
	c.costs.Families[p.family] = l
	return nil
}

// steps measures a program of many little instructions, each of which needs the one
// before.
func (c *calibration) steps() error {
	const n = 16
	c.costs.Step = c.costs.Launch / 10
	if c.over() {
		return nil
	}
	t, err := c.best(mapChain(n+1, max(c.dev.Info().Limits.Align, 4)))
	if err != nil {
		return c.failure(err)
	}
	c.costs.Step = max((t-c.costs.Launch)/n, c.costs.Launch/1000)
	return nil
}

// transfers measures copies between the host and the device, a least and a large one.
func (c *calibration) transfers() error {
	const small, large = 64, 4 << 20
	least := func(bytes int, write bool) (float64, error) {
		b, err := c.dev.NewBuffer(bytes)
		if err != nil {
			return 0, err
		}
		defer b.Free()
		data := make([]byte, bytes)
		if err := b.Write(0, data); err != nil {
			return 0, err
		}
		least := 0.0
		for n, start := 0, c.now(); n < 2 || n < 20 && c.now().Sub(start) < c.part; n++ {
			if err := c.dev.Sync(c.ctx); err != nil {
				return 0, err
			}
			begin := c.now()
			if write {
				err = b.Write(0, data)
			} else {
				err = b.Read(data, 0)
			}
			if err == nil {
				err = c.dev.Sync(c.ctx)
			}
			if err != nil {
				return 0, err
			}
			if t := max(c.now().Sub(begin).Seconds(), 1e-9); n > 0 && (least == 0 || t < least) {
				least = t
			}
		}
		return least, nil
	}
	for _, x := range []struct {
		to    *transfer
		write bool
	}{{&c.costs.Write, true}, {&c.costs.Read, false}} {
		a, err := least(small, x.write)
		if err != nil {
			return err
		}
		b, err := least(large, x.write)
		if err != nil {
			return err
		}
		*x.to = transfer{Latency: a, Bandwidth: (large - small) / max(b-a, b/20)}
	}
	return nil
}

// whole returns the costs with a guess for each family that was not measured, from one
// that was.
func (c costs) whole() costs {
	if len(c.Families[bytesMoved]) == 0 {
		c.Families[bytesMoved] = curve{{1 << 20, (1 << 20) / c.Write.Bandwidth}}
	}
	// How many bytes a unit is worth, about.
	worth := [numFamilies]float64{bytesMoved: 1, cheapOps: 0.5, costlyOps: 4, folded: 4, product: 0.1, gathered: 16}
	for f := range c.Families {
		if len(c.Families[f]) > 0 {
			continue
		}
		for _, p := range c.Families[bytesMoved] {
			c.Families[f] = append(c.Families[f], point{p.Units / worth[f], p.Seconds})
		}
	}
	return c
}

// complete reports whether every family was measured.
func (c *costs) complete() bool {
	for _, l := range c.Families {
		if len(l) == 0 {
			return false
		}
	}
	return true
}
