package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/gauge"
)

// limitsSuite is what a device can do at all.
const limitsSuite = "limits"

// The ops of the suite.
const (
	opSubmit     = "submit"       // a program of one kernel for one element, and the wait for it
	opDispatch   = "dispatch"     // a kernel that waits for the one before, within a program
	opCopy       = "copy"         // device memory to device memory
	opUpload     = "upload"       // host to device
	opDownload   = "download"     // device to host
	opArithmetic = "multiply-add" // multiplications and additions of no memory, over workgroups
	opPeak       = "peak"         // multiply-adds on registers, of the processor
)

// dispatches is how many kernels of a chain follow each other.
const dispatches = 64

// A direct contender runs a program on a device without the tensor API.
type direct struct {
	d     ir.Device
	x     ir.Executable
	args  []ir.Buffer
	out   int // the argument that is looked at
	n     int // its elements
	parts int // calls that one run of the program counts as
}

// newDirect compiles a program, gives it its inputs, and runs it once.
func newDirect(d ir.Device, p *ir.Program, parts int, inputs ...[]float32) (c *direct, err error) {
	c = &direct{d: d, parts: parts}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.x, err = d.Compile(p); err != nil {
		return nil, err
	}
	for i, s := range p.Slots[:p.NumArgs()] {
		buf, err := d.NewBuffer(s.Bytes())
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, buf)
		if i < len(inputs) {
			if err := buf.Write(0, encode(inputs[i])); err != nil {
				return nil, err
			}
		}
	}
	c.out = p.NumArgs() - 1
	c.n = p.Slots[c.out].Len
	_, err = c.run(1)
	return c, err
}

// run runs the program as often as its parts make at least n calls. The wait for each
// counts where it is one call.
func (c *direct) run(n int) (span, error) {
	runs := max(1, n/c.parts)
	s, err := timed(runs, func() error {
		if err := c.x.Run(context.Background(), c.args, nil); err != nil {
			return err
		}
		return c.d.Sync(context.Background())
	})
	// What a batch of n calls would have taken.
	scale := float64(n) / float64(runs*c.parts)
	return span{s.Wall * scale, s.CPU * scale, s.Waited * scale, 0}, err
}

func (c *direct) at(elements []int) ([]float32, error) {
	raw := make([]byte, 4*c.n)
	if err := c.args[c.out].Read(raw, 0); err != nil {
		return nil, err
	}
	return (&call{result: decode(raw)}).at(elements)
}

func (c *direct) close() {
	for _, b := range c.args {
		b.Free()
	}
	if c.x != nil {
		c.x.Free()
	}
}

func encode(x []float32) []byte {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.NativeEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func decode(b []byte) []float32 {
	x := make([]float32, len(b)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.NativeEndian.Uint32(b[4*i:]))
	}
	return x
}

// limitsCases are the limits of a device, without sizes for which it has no memory.
func limitsCases(l *lab, s *subject) []benchCase {
	same := func(x []float32) reference {
		return reference{n: len(x), want: func(i int) (float64, float64) { return float64(x[i]), 0 }}
	}
	one := []float32{0.75}
	cases := []benchCase{
		{suite: limitsSuite, op: opSubmit, name: opSubmit, work: 1, open: func() (*entry, error) {
			c, err := newDirect(l.subject.ir, gauge.Copy(1), 1, one)
			return &entry{ours: c, reference: same(one)}, err
		}},
		{suite: limitsSuite, op: opDispatch, name: opDispatch, work: 1, open: func() (*entry, error) {
			dev := l.subject.ir
			before := dev.Stats().Dispatches
			c, err := newDirect(l.subject.ir, gauge.Dependent(dispatches), dispatches, one)
			if err != nil {
				return nil, err
			}
			if n := dev.Stats().Dispatches - before; s.Kind != "cpu" && n != dispatches {
				c.close()
				return nil, fmt.Errorf("%d copies of each other's result were %d dispatches", dispatches, n)
			}
			return &entry{ours: c, reference: same(one)}, nil
		}},
	}
	copies := []int{1 << 10, 1 << 14, 1 << 18, 1 << 22, 1 << 26, 1 << 28}
	if l.quick {
		copies = []int{1 << 10, 1 << 15, 1 << 20, 1 << 22, 1 << 25} // the last is more than most caches hold
	}
	for _, n := range copies {
		most := mostFloats(s, false)
		n := min(n, most)
		cases = append(cases, benchCase{
			suite: limitsSuite, op: opCopy, name: fmt.Sprintf("%s/%d", opCopy, n), size: float64(n), work: 8 * float64(n), bytes: 8 * float64(n),
			open: func() (*entry, error) {
				x := fill(n, 1, 1)
				c, err := newDirect(l.subject.ir, gauge.Copy(n), 1, x)
				return &entry{ours: c, reference: same(x)}, err
			},
		})
		if n == most {
			break
		}
	}
	for _, op := range []string{opUpload, opDownload} {
		n := min(1<<20, mostFloats(s, l.quick))
		cases = append(cases, benchCase{
			suite: limitsSuite, op: op, name: fmt.Sprintf("%s/%d", op, n), size: float64(n), work: 4 * float64(n), bytes: 4 * float64(n),
			open: func() (*entry, error) { return openTransfer(l.subject.ir, op, n) },
		})
	}
	most := 1 << 16
	if l.quick {
		most = 1 << 12
	}
	for rows := 1; rows <= most; rows *= 4 {
		n := rows * gauge.Row
		cases = append(cases, benchCase{
			suite: limitsSuite, op: opArithmetic, name: fmt.Sprintf("%s/%d", opArithmetic, rows), size: float64(rows),
			work: gauge.Operations * float64(n), flops: gauge.Operations * float64(n),
			open: func() (*entry, error) {
				c, err := newDirect(l.subject.ir, gauge.Arithmetic(n), 1)
				return &entry{ours: c, reference: wantArithmetic(rows)}, err
			},
		})
	}
	if host, ok := s.ir.(*cpu.Device); ok && s.Lanes > 1 {
		cases = append(cases, peakCase(s, host))
	}
	return cases
}

// mostFloats is how many float32 the largest array of a case has: a sixteenth of the
// device's memory, and of a quick run 16 MiB.
func mostFloats(s *subject, quick bool) int {
	n := 1 << 28
	if quick {
		n = 1 << 22
	}
	if m := s.info.Limits.MemoryBytes; m > 0 {
		n = min(n, m/64)
	}
	if m := s.info.Limits.BufferBytes; m > 0 {
		n = min(n, m/4)
	}
	return n
}

// wantArithmetic is the reference of gauge.Arithmetic. The factor of ½ makes each chain end
// near 1, wherever it began.
func wantArithmetic(rows int) reference {
	return reference{n: rows, want: func(i int) (float64, float64) {
		sum := 0.0
		for k := range gauge.Row {
			x := float64(i*gauge.Row + k)
			for o := range gauge.Operations {
				if o%2 == 0 {
					x *= 0.5
				} else {
					x += 0.5
				}
			}
			sum += x
		}
		return sum, sum * 1e-5
	}}
}

// openTransfer moves n floats between host and device.
func openTransfer(dev ir.Device, op string, n int) (*entry, error) {
	buf, err := dev.NewBuffer(4 * n)
	if err != nil {
		return nil, err
	}
	x := fill(n, 1, 1)
	raw := encode(x)
	back := make([]byte, 4*n)
	f := func() error { return buf.Write(0, raw) }
	if op == opDownload {
		f = func() error { return buf.Read(back, 0) }
	}
	t := &transfer{call: call{f: func() error {
		if err := f(); err != nil {
			return err
		}
		return dev.Sync(context.Background())
	}}, buf: buf}
	if err := buf.Write(0, raw); err != nil {
		t.close()
		return nil, err
	}
	if err := t.f(); err != nil {
		t.close()
		return nil, err
	}
	if op == opUpload {
		err = buf.Read(back, 0)
	}
	t.result = decode(back)
	return &entry{ours: t, reference: reference{n: n, want: func(i int) (float64, float64) { return float64(x[i]), 0 }}}, err
}

// A transfer is a call with device memory.
type transfer struct {
	call
	buf ir.Buffer
}

func (t *transfer) close() { t.buf.Free() }

// peakCase is the processor's multiply-adds on registers, on all cores.
func peakCase(s *subject, d *cpu.Device) benchCase {
	work := float64(peakWork) * 2 * float64(s.Cores)
	return benchCase{suite: limitsSuite, op: opPeak, name: opPeak, work: work, flops: work, open: func() (*entry, error) {
		c := &call{result: []float32{0}, f: func() error { return peakAll(d, s.Cores) }}
		// There is no result but that it ran.
		return &entry{ours: c, reference: reference{n: 1, want: func(int) (float64, float64) { return 0, 0 }}}, c.f()
	}}
}
