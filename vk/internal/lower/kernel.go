package lower

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// A Kernel is code: equal keys, equal code.
type Kernel struct {
	Module  string // name without the suffix of the address variant
	Entry   string // the function that kernel calls, where a module has several
	Bodies  map[string]*splice.Body
	Spec    []uint32 // specialization constants by id
	Buffers int
	// Subgroup is the size that subgroups must have, none with idle invocations; 0: any.
	// Module and constants determine it.
	Subgroup int
}

// Key identifies the code.
func (k *Kernel) Key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %v\n", k.Module, k.Buffers, k.Spec)
	for _, name := range slices.Sorted(maps.Keys(k.Bodies)) {
		b.WriteString(name)
		b.WriteByte('\n')
		k.Bodies[name].Key(&b)
	}
	return b.String()
}

// Variant names the code without what an instruction splices in: module, entry and
// constants, such as "reduce row 256 1".
func (k *Kernel) Variant() string { return variant(k.Module, k.Entry, k.Spec) }

func variant(module, entry string, spec []uint32) string {
	name := module
	if entry != "" {
		name += " " + entry
	}
	for _, v := range spec {
		name += fmt.Sprint(" ", v)
	}
	return name
}

// Ops lists the functions of ops that the kernel calls, sorted; see [OpFuncs].
func (k *Kernel) Ops() []string {
	var l []string
	for _, body := range k.Bodies {
		for _, c := range body.Calls {
			if _, ok := opFuncs()[c.Func]; ok {
				l = append(l, c.Func)
			}
		}
	}
	slices.Sort(l)
	return slices.Compact(l)
}

// FindOp returns the op function of a name.
func FindOp(name string) (OpFunc, bool) {
	f, ok := opFuncs()[name]
	return f, ok
}

var opFuncs = sync.OnceValue(func() map[string]OpFunc {
	m := map[string]OpFunc{}
	for _, f := range OpFuncs() {
		m[f.Name] = f
	}
	return m
})

// off says why a variant or an op's function may not be used.
func (l *lowerer) off(name string) string {
	if l.o.Off == nil {
		return ""
	}
	return l.o.Off(name)
}

// refuse fails where a kernel that has no stand-in is off.
func (l *lowerer) refuse(k *Kernel) {
	if l.o.Off == nil {
		return
	}
	for _, name := range append(k.Ops(), k.Variant()) {
		if why := l.off(name); why != "" {
			unsupported("%s is off: %s", name, why)
		}
	}
}
