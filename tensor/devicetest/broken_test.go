package devicetest_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fornax-ml/fornax/tensor/devicetest"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// A broken device is the reference with a fault.
type broken struct {
	*ref.Device
	fault string
}

// faults are what a broken device does after a run, and the test that must
// notice.
var faults = []struct {
	name, test string
	spoil      func(p *ir.Program, args []ir.Buffer)
}{
	{"writes behind an output", "map/add/f32", func(p *ir.Program, args []ir.Buffer) {
		n := p.Slots[p.Inputs].Bytes()
		args[p.Inputs].Write(n, []byte{1})
	}},
	{"writes an input", "map/add/f32", func(p *ir.Program, args []ir.Buffer) {
		for i := range p.Inputs {
			if p.Slots[i].Bytes() > 0 {
				args[i].Write(0, []byte{77, 77, 77, 77})
			}
		}
	}},
	{"off by one ulp", "map/add/f32", func(p *ir.Program, args []ir.Buffer) { addOne(p, args, 1) }},
	{"off by twenty ulp", "map/exp/f32", func(p *ir.Program, args []ir.Buffer) { addOne(p, args, 20) }},
	{"drops the tail", "map/exp/f32", func(p *ir.Program, args []ir.Buffer) {
		for i := p.Inputs; i < p.NumArgs(); i++ {
			if n := p.Slots[i].Bytes(); n > 4 {
				args[i].Write(n-4, make([]byte, 4))
			}
		}
	}},
	{"loses NaN", "map/maximum/f32", func(p *ir.Program, args []ir.Buffer) {
		each(p, args, func(d ir.DType, bits uint64) uint64 {
			if x := ir.BitsFloat(d, bits); d.IsFloat() && x != x {
				return 0
			}
			return bits
		})
	}},
	{"flips the sign of zero", "map/neg/f32", func(p *ir.Program, args []ir.Buffer) {
		each(p, args, func(d ir.DType, bits uint64) uint64 {
			if d == ir.F32 && bits == 0x80000000 {
				return 0
			}
			return bits
		})
	}},
	{"moves a position", "reduce/argmax/f32", func(p *ir.Program, args []ir.Buffer) { addOne(p, args, 1) }},
	{"wrong in one program", "fuzz", func(p *ir.Program, args []ir.Buffer) {
		if len(p.Instrs) > 7 {
			addOne(p, args, 1)
		}
	}},
	{"forgets the index error", "index", nil},
	{"runs after it was cancelled", "run/cancelled", nil},
}

// addOne adds k to the bits of element 1 of each output that has one.
func addOne(p *ir.Program, args []ir.Buffer, k uint64) {
	at := 0
	each(p, args, func(d ir.DType, bits uint64) uint64 {
		if at++; d != ir.Bool && at == 2 {
			bits += k
		}
		return bits
	})
}

// each replaces all elements of all outputs.
func each(p *ir.Program, args []ir.Buffer, f func(d ir.DType, bits uint64) uint64) {
	for i := p.Inputs; i < p.NumArgs(); i++ {
		s := p.Slots[i]
		b := make([]byte, s.Bytes())
		args[i].Read(b, 0)
		for k := range s.Len {
			ir.PutBits(s.DType, b, k, f(s.DType, ir.GetBits(s.DType, b, k)))
		}
		args[i].Write(0, b)
	}
}

func (d *broken) Compile(p *ir.Program) (ir.Executable, error) {
	e, err := d.Device.Compile(p)
	return &brokenExecutable{e, d, p}, err
}

type brokenExecutable struct {
	ir.Executable
	d *broken
	p *ir.Program
}

func (e *brokenExecutable) Run(ctx context.Context, args []ir.Buffer, scalars []ir.Scalar) error {
	if e.d.fault == "runs after it was cancelled" {
		ctx = context.Background()
	}
	err := e.Executable.Run(ctx, args, scalars)
	if err != nil {
		return err
	}
	if e.d.fault == "forgets the index error" {
		e.d.Sync(ctx)
	}
	for _, f := range faults {
		if f.name == e.d.fault && f.spoil != nil {
			f.spoil(e.p, args)
		}
	}
	return nil
}

// TestBroken runs the suite on broken devices, each in a process of its own,
// and wants it to fail in the test that is there for the fault.
func TestBroken(t *testing.T) {
	const key = "FORNAX_DEVICETEST_FAULT"
	if fault := os.Getenv(key); fault != "" {
		devicetest.Run(t, &broken{ref.NewDevice(), fault}, devicetest.Options{Programs: 30})
		return
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c := exec.Command(os.Args[0], "-test.short", "-test.run=^TestBroken$/^"+strings.ReplaceAll(f.test, "/", "$/^")+"$")
			c.Env = append(os.Environ(), key+"="+f.name)
			out, err := c.CombinedOutput()
			if _, failed := err.(*exec.ExitError); !failed || !bytes.Contains(out, []byte("--- FAIL: TestBroken/"+f.test)) {
				t.Errorf("not noticed: %v\n%s", err, out)
			}
		})
	}
}
