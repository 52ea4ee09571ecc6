package main

import (
	"fmt"
	"go/token"
	"go/types"

	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// An isa is an instruction set: 16 vectors of 8 float32 lanes, or 32 of 16 with
// mask registers; or the same with half as many lanes of float64.
type isa struct {
	*file
	name  string
	wide  bool // AVX-512
	dot   bool // lanes are pairs of BF16, multiplied and added to float32
	elem  int  // bytes of a lane
	lanes int
	bytes int // of a vector
}

func isas(f *file) []*isa {
	return []*isa{
		{file: f, name: "512", wide: true, elem: 4, lanes: 16, bytes: 64},
		{file: f, name: "256", elem: 4, lanes: 8, bytes: 32},
	}
}

// float64 is the set with lanes of float64.
func (g *isa) float64() *isa {
	d := *g
	d.name, d.elem, d.lanes = "Double"+g.name, 8, g.lanes/2
	return &d
}

var (
	zmm = []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
	}
	ymm = []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}
	xmm = []reg.VecPhysical{
		reg.X0, reg.X1, reg.X2, reg.X3, reg.X4, reg.X5, reg.X6, reg.X7, reg.X8, reg.X9, reg.X10, reg.X11, reg.X12, reg.X13, reg.X14, reg.X15,
		reg.X16, reg.X17, reg.X18, reg.X19, reg.X20, reg.X21, reg.X22, reg.X23, reg.X24, reg.X25, reg.X26, reg.X27, reg.X28, reg.X29, reg.X30, reg.X31,
	}
)

// v returns vector register i.
func (g *isa) v(i int) reg.VecPhysical {
	if g.wide {
		return zmm[i]
	}
	return ymm[i]
}

func (g *isa) zero(i int) {
	if i < 16 {
		g.VXORPS(xmm[i], xmm[i], xmm[i]) // clears the upper lanes, too
		return
	}
	g.VPXORD(zmm[i], zmm[i], zmm[i])
}

// begin starts a function without results whose parameters are pointers, int and
// uint32: "dst, a unsafe.Pointer, n int", a pair of name and type each.
func (g *isa) begin(doc, name string, params ...string) {
	g.Function(name)
	var vars []*types.Var
	text := ""
	for i := 0; i < len(params); i += 2 {
		t := types.Type(types.Typ[types.Uintptr]) // avo loads no pointers
		switch params[i+1] {
		case "int":
			t = types.Typ[types.Int]
		case "uint32":
			t = types.Typ[types.Uint32]
		}
		vars = append(vars, types.NewParam(token.NoPos, nil, params[i], t))
		if i > 0 {
			text += ", "
		}
		text += params[i] + " " + params[i+1]
	}
	sig := types.NewSignatureType(nil, nil, nil, types.NewTuple(vars...), nil, false)
	g.Signature(gotypes.NewSignature(nil, sig))
	g.Attributes(noSplit)
	g.stubs = append(g.stubs, fmt.Sprintf("%s\n//\n//go:noescape\nfunc %s(%s)\n", doc, name, text))
}

// end returns, with the upper halves of the vectors clean.
func (g *isa) end() {
	g.VZEROUPPER()
	g.RET()
}

// param is the memory of parameter name.
func (g *isa) param(name string) Mem {
	b, err := g.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// load reads parameter name into r.
func (g *isa) load(name string, r reg.Register) { g.Load(g.Param(name), r) }

// at is the memory at base, disp bytes on.
func at(base reg.Register, disp int) Mem { return Mem{Base: base, Disp: disp} }

// idx is the memory at base + index·scale + disp.
func idx(base, index reg.Register, scale uint8, disp int) Mem {
	return Mem{Base: base, Index: index, Scale: scale, Disp: disp}
}
