package splice

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/shaders/spirv"
)

// An Arg is an argument of a call: a constant, a parameter of the function
// whose body it is in, or the result of an earlier call.
type Arg struct {
	kind argKind
	n    uint64
}

type argKind uint8

const (
	constArg argKind = iota
	paramArg
	resultArg
)

// Const is a constant: a uint, or a register of 32 or 64 bits.
func Const(v uint64) Arg { return Arg{constArg, v} }

// Param is parameter i of the template function.
func Param(i int) Arg { return Arg{paramArg, uint64(i)} }

// IsConst returns the value of a constant.
func (a Arg) IsConst() (uint64, bool) { return a.n, a.kind == constArg }

// Result returns the number of the call whose result it is.
func (a Arg) Result() (int, bool) { return int(a.n), a.kind == resultArg }

// A Call applies a function of the module.
type Call struct {
	Func string
	Args []Arg
}

// A Body is what a template function is to do. The zero Body does nothing.
type Body struct {
	Calls []Call
	// Return is the function's result; functions without one ignore it.
	Return Arg
}

// Call adds a call and returns its result.
func (b *Body) Call(name string, args ...Arg) Arg {
	b.Calls = append(b.Calls, Call{name, args})
	return Arg{resultArg, uint64(len(b.Calls) - 1)}
}

// Key appends text that two bodies share only if they are the same.
func (b *Body) Key(s *strings.Builder) {
	for _, c := range b.Calls {
		s.WriteString(c.Func)
		for _, a := range c.Args {
			fmt.Fprintf(s, " %d.%x", a.kind, a.n)
		}
		s.WriteByte('\n')
	}
	fmt.Fprintf(s, "= %d.%x\n", b.Return.kind, b.Return.n)
}

// A Template is a module taken apart. It is safe for concurrent use.
type Template struct {
	m         *spirv.Module
	functions []spirv.Function
	byID      map[uint32]int    // index into functions
	byName    map[string]uint32 // id; 0 where a name is overloaded
	types     map[uint32]spirv.Type
	consts    map[[2]uint32]uint32 // type, word -> id
	globals   int                  // index of the first OpFunction
	entry     uint32
	// workgroupSize is the constant that a built-in decoration makes the
	// workgroup size, or 0.
	workgroupSize uint32
}

// New takes a module apart.
func New(words []uint32) (*Template, error) {
	m, err := spirv.Parse(words)
	if err != nil {
		return nil, err
	}
	t := &Template{m: m, functions: m.Functions(), byID: map[uint32]int{}, byName: map[string]uint32{}, consts: map[[2]uint32]uint32{}}
	if t.types, err = m.Types(); err != nil {
		return nil, err
	}
	eps := m.EntryPoints()
	if len(eps) != 1 || len(t.functions) == 0 {
		return nil, fmt.Errorf("splice: %d entry points, %d functions", len(eps), len(t.functions))
	}
	t.entry = eps[0].Function
	t.globals = t.functions[0].Start
	for i, f := range t.functions {
		t.byID[f.ID] = i
		name, _, _ := strings.Cut(f.Name, "(")
		if _, twice := t.byName[name]; twice {
			t.byName[name] = 0
		} else {
			t.byName[name] = f.ID
		}
	}
	for _, in := range m.Insts[:t.globals] {
		if in.Op == spirv.OpDecorate && in.Words[1] == spirv.DecorationBuiltIn && in.Words[2] == spirv.BuiltInWorkgroupSize {
			t.workgroupSize = in.Words[0]
		}
		if in.Op == spirv.OpConstant && len(in.Words) == 3 {
			t.consts[[2]uint32{in.Words[0], in.Words[2]}] = in.Words[1]
		}
	}
	return t, nil
}

// Has reports whether the module has one function of this name.
func (t *Template) Has(name string) bool { return t.byName[name] != 0 }

// Build returns the module with the named functions' bodies replaced.
func (t *Template) Build(bodies map[string]*Body) ([]uint32, error) {
	b := &builder{t: t, next: t.m.Bound, consts: map[[2]uint32]uint32{}, pairs: map[[3]uint32]uint32{}, new: map[uint32][]spirv.Inst{}}
	for _, name := range slices.Sorted(maps.Keys(bodies)) {
		if err := b.body(name, bodies[name]); err != nil {
			return nil, fmt.Errorf("splice: %s: %w", name, err)
		}
	}
	return b.link()
}

type builder struct {
	t      *Template
	next   uint32
	consts map[[2]uint32]uint32
	pairs  map[[3]uint32]uint32
	added  []spirv.Inst            // constants
	new    map[uint32][]spirv.Inst // function id -> instructions
}

func (b *builder) id() uint32 {
	b.next++
	return b.next - 1
}

// body writes a template function anew.
func (b *builder) body(name string, body *Body) error {
	id := b.t.byName[name]
	if id == 0 {
		return fmt.Errorf("no such function")
	}
	f := b.t.functions[b.t.byID[id]]
	ft := b.t.types[f.Type]
	var insts []spirv.Inst
	var params []uint32
	for _, in := range b.t.m.Insts[f.Start:f.End] {
		if in.Op == spirv.OpFunctionParameter {
			params = append(params, in.Words[1])
		}
		if in.Op == spirv.OpFunction || in.Op == spirv.OpFunctionParameter {
			insts = append(insts, in)
		}
	}
	insts = append(insts, spirv.Inst{Op: spirv.OpLabel, Words: []uint32{b.id()}})
	results := make([]uint32, len(body.Calls))
	resolve := func(a Arg, typ uint32, upto int) (uint32, error) {
		switch a.kind {
		case paramArg:
			if int(a.n) >= len(params) {
				return 0, fmt.Errorf("no parameter %d", a.n)
			}
			return params[a.n], nil
		case resultArg:
			if int(a.n) >= upto {
				return 0, fmt.Errorf("result %d is not there yet", a.n)
			}
			return results[a.n], nil
		}
		return b.constant(typ, a.n)
	}
	for i, c := range body.Calls {
		callee := b.t.byName[c.Func]
		if callee == 0 {
			return fmt.Errorf("no function %s", c.Func)
		}
		ct := b.t.types[b.t.functions[b.t.byID[callee]].Type]
		if len(c.Args) != len(ct.Members) {
			return fmt.Errorf("%s takes %d arguments, not %d", c.Func, len(ct.Members), len(c.Args))
		}
		results[i] = b.id()
		w := []uint32{ct.Elem, results[i], callee}
		for k, a := range c.Args {
			arg, err := resolve(a, ct.Members[k], i)
			if err != nil {
				return fmt.Errorf("%s: %w", c.Func, err)
			}
			w = append(w, arg)
		}
		insts = append(insts, spirv.Inst{Op: spirv.OpFunctionCall, Words: w})
	}
	if b.t.types[ft.Elem].Kind == spirv.KindVoid {
		insts = append(insts, spirv.Inst{Op: spirv.OpReturn})
	} else {
		r, err := resolve(body.Return, ft.Elem, len(body.Calls))
		if err != nil {
			return err
		}
		insts = append(insts, spirv.Inst{Op: spirv.OpReturnValue, Words: []uint32{r}})
	}
	b.new[id] = append(insts, spirv.Inst{Op: spirv.OpFunctionEnd})
	return nil
}

// constant returns the id of a constant of a register's or word's type.
func (b *builder) constant(typ uint32, v uint64) (uint32, error) {
	switch t := b.t.types[typ]; t.Kind {
	case spirv.KindInt:
		if t.Width != 32 {
			return 0, fmt.Errorf("constant of %d bits", t.Width)
		}
		k := [2]uint32{typ, uint32(v)}
		if id, ok := b.t.consts[k]; ok {
			return id, nil
		}
		if id, ok := b.consts[k]; ok {
			return id, nil
		}
		id := b.id()
		b.consts[k] = id
		b.added = append(b.added, spirv.Inst{Op: spirv.OpConstant, Words: []uint32{typ, id, uint32(v)}})
		return id, nil
	case spirv.KindVector:
		if t.Count != 2 {
			break
		}
		lo, err := b.constant(t.Elem, v&0xffffffff)
		if err != nil {
			return 0, err
		}
		hi, err := b.constant(t.Elem, v>>32)
		if err != nil {
			return 0, err
		}
		k := [3]uint32{typ, lo, hi}
		if id, ok := b.pairs[k]; ok {
			return id, nil
		}
		id := b.id()
		b.pairs[k] = id
		b.added = append(b.added, spirv.Inst{Op: spirv.OpConstantComposite, Words: []uint32{typ, id, lo, hi}})
		return id, nil
	}
	return 0, fmt.Errorf("constant of type %d", typ)
}
