//go:build cgo

package vk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn/nntest"
	"github.com/fornax-ml/fornax/shaders/spirv"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

// swap makes a corrupter of modules: one instruction for another.
func swap(from, to uint16, modules ...string) func(string, []uint32) []uint32 {
	return func(name string, words []uint32) []uint32 {
		for _, m := range modules {
			if !strings.HasPrefix(name, m) {
				continue
			}
			mod, err := spirv.Parse(words)
			if err != nil {
				panic(err)
			}
			for i := range mod.Insts {
				if mod.Insts[i].Op == from {
					mod.Insts[i].Op = to
				}
			}
			words, err := mod.Words()
			if err != nil {
				panic(err)
			}
			return words
		}
		return words
	}
}

// Opcodes of SPIR-V.
const opFAdd, opFSub, opFMul = 129, 131, 133

// fact finds the value of a report's fact.
func fact(d *vk.Device, name string) string {
	for _, f := range d.Report() {
		if strings.Contains(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// failures lists the self-tests that failed.
func failures(d *vk.Device) (l []string) {
	for _, f := range d.Report() {
		if f.Topic == "self-tests" && strings.HasPrefix(f.Value, "off: wrong in the self-test") {
			l = append(l, f.Name)
		}
	}
	return l
}

// TestBrokenVariantIsReplaced breaks the reduction that rows of a cross-entropy
// over many classes would take: it is found out, switched off and reported, and
// training is right all the same.
func TestBrokenVariantIsReplaced(t *testing.T) {
	// The tree of a row subtracts where it should add; lanes have no tree.
	d := open(t, vk.Options{Corrupt: func(name string, words []uint32) []uint32 {
		if !usesShared(words) || !strings.HasPrefix(name, "reduce") {
			return words
		}
		return swap(opFAdd, opFSub, "reduce")(name, words)
	}})
	require.Empty(t, fact(d, "reduce row"))
	x := tensor.New(d)
	data := make([]float32, 7*1000)
	for i := range data {
		data[i] = float32(i%7) - 3
	}
	v, err := tensor.Data[float32](tensor.FromSlice(x, data, 7, 1000).Sum(1))
	require.NoError(t, err)
	for i, got := range v {
		want := float32(0)
		for _, y := range data[1000*i : 1000*(i+1)] {
			want += y
		}
		require.Equal(t, want, got, "row %d", i)
	}
	require.Contains(t, fact(d, "reduce row"), "off: wrong in the self-test")
	require.Contains(t, fact(d, "reduce lane"), "passed")
	nntest.Run(t, x, nntest.Options{Steps: -1})
}

// usesShared reports whether a module has variables in shared memory.
func usesShared(words []uint32) bool {
	m, err := spirv.Parse(words)
	if err != nil {
		return false
	}
	for _, in := range m.Insts {
		if in.Op == spirv.OpVariable && in.Words[2] == 4 { // Workgroup
			return true
		}
	}
	return false
}

// TestBrokenProductIsReplaced breaks the kernels of products without shared memory: FClamp for Fma.
func TestBrokenProductIsReplaced(t *testing.T) {
	const extFma, extFClamp = 50, 43
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			o := v.opt
			o.Corrupt = func(name string, words []uint32) []uint32 {
				m, err := spirv.Parse(words)
				if err != nil || !strings.HasPrefix(name, "matmul_sub8") && !strings.HasPrefix(name, "matmul_direct") {
					return words
				}
				for _, in := range m.Insts {
					if in.Op == spirv.OpExtInst && in.Words[3] == extFma {
						in.Words[3] = extFClamp
					}
				}
				words, err = m.Words()
				if err != nil {
					panic(err)
				}
				return words
			}
			d := open(t, o)
			nntest.Run(t, tensor.New(d), nntest.Options{Steps: -1})
			if d.Info().Software && !o.LikeGPU { // on GPUs these kernels are not the first choice
				require.NotEmpty(t, failures(d))
			}
			for _, f := range failures(d) {
				require.Contains(t, f, "matmul_")
			}
		})
	}
}

// TestBrokenOpIsRefused: an op that a driver computes wrongly has no stand-in and
// is an error, not a wrong number; other ops go on.
func TestBrokenOpIsRefused(t *testing.T) {
	d := open(t, vk.Options{Corrupt: swap(opFMul, opFAdd, "map")})
	x := tensor.New(d)
	a := tensor.FromSlice(x, []float32{1, 2, 3}, 3)
	_, err := tensor.Data[float32](a.Mul(a))
	var unsupported *ir.UnsupportedError
	require.True(t, errors.As(err, &unsupported), "%v", err)
	require.Contains(t, err.Error(), "f32_mul is off: wrong in the self-test")
	v, err := tensor.Data[float32](a.Sub(a.AddScalar(1)))
	require.NoError(t, err)
	require.Equal(t, []float32{-1, -1, -1}, v)
}

func TestDisable(t *testing.T) {
	d := open(t, vk.Options{Disable: []string{"reduce row", "f32_exp", "wide"}})
	x := tensor.New(d)
	v, err := tensor.Data[float32](tensor.Ones(x, 3, 1000).Sum(1))
	require.NoError(t, err)
	require.Equal(t, []float32{1000, 1000, 1000}, v)
	_, err = tensor.Data[float32](tensor.Ones(x, 3).Exp())
	require.ErrorContains(t, err, `"f32_exp" is disabled`)
	require.False(t, d.Info().DTypes.Has(ir.F64))
	require.Equal(t, "off: disabled", fact(d, "reduce row"))
	// What is off by hand here says nothing about the kernels of other devices, even
	// where their trials use it.
	dir := t.TempDir()
	_, err = tensor.Data[float32](tensor.Ones(tensor.New(open(t, vk.Options{CacheDir: dir, Disable: []string{"f32_add", "f32_less"}})), 3, 300).Cos().Max(1))
	require.NoError(t, err)
	other := open(t, vk.Options{CacheDir: dir})
	require.Empty(t, failures(other))
	y := tensor.New(other)
	one := tensor.Ones(y, 3, 300)
	sum, err := one.Add(one).Less(tensor.Full(y, 3, 3, 300)).Cast(tensor.F32).Sum().Item()
	require.NoError(t, err)
	require.Equal(t, 900.0, sum)

	_, err = vk.Open(0, vk.Options{Disable: []string{"address", "descriptor"}})
	require.ErrorContains(t, err, "neither")
}

// TestVerdictsAreKept: a second process, here a second folder's file, tries nothing
// again; a kernel in whose trial the process ended twice is off; a damaged file
// counts for nothing.
func TestVerdictsAreKept(t *testing.T) {
	type verdict struct {
		Passed bool   `json:"passed,omitempty"`
		Failed string `json:"failed,omitempty"`
		Begun  int    `json:"begun,omitempty"`
	}
	type file struct {
		Kernels string             `json:"kernels"`
		Entries map[string]verdict `json:"entries"`
	}
	name := ""
	use := func(dir string) (path string, err error) {
		d := open(t, vk.Options{CacheDir: dir, Arguments: vk.ByDescriptor})
		_, err = tensor.Data[float32](tensor.Ones(tensor.New(d), 300).Exp())
		l, globErr := filepath.Glob(filepath.Join(dir, "selftest-*"))
		require.NoError(t, globErr)
		require.Len(t, l, 1)
		name = filepath.Base(l[0])
		return l[0], err
	}
	read := func(path string) (f file) {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &f))
		return f
	}
	path, err := use(t.TempDir())
	require.NoError(t, err)
	f := read(path)
	require.True(t, f.Entries["descriptor f32_exp"].Passed, "%v", f)

	put := func(v verdict) string {
		dir := t.TempDir()
		f.Entries["descriptor f32_exp"] = v
		data, err := json.Marshal(f)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
		return dir
	}
	_, err = use(put(verdict{Failed: "for a reason"}))
	require.ErrorContains(t, err, "for a reason")
	_, err = use(put(verdict{Begun: 2}))
	require.ErrorContains(t, err, "the process ended in its self-test 2 times")
	path, err = use(put(verdict{Begun: 1}))
	require.NoError(t, err)
	require.Equal(t, verdict{Passed: true}, read(path).Entries["descriptor f32_exp"])
	f.Kernels = "others"
	_, err = use(put(verdict{Failed: "for a reason"}))
	require.NoError(t, err)

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("{not JSON"), 0o644))
	_, err = use(dir)
	require.NoError(t, err)
}

// TestSelfTestGoesOn: a self-test whose context ends keeps what it found, and the next
// one begins there.
func TestSelfTestGoesOn(t *testing.T) {
	d := open(t, vk.Options{CacheDir: t.TempDir()}) // whose verdicts are its own
	passed := func() (n int) {
		for _, f := range d.Report() {
			var k int
			if _, err := fmt.Sscanf(f.Value, "%d passed", &k); f.Topic == "self-tests" && err == nil {
				n += k
			}
		}
		return n
	}
	require.ErrorIs(t, d.SelfTest(&patience{Context: context.Background(), left: 2}), context.DeadlineExceeded)
	some := passed()
	require.Positive(t, some)
	require.ErrorIs(t, d.SelfTest(&patience{Context: context.Background(), left: 4}), context.DeadlineExceeded)
	require.Greater(t, passed(), some)
	require.Empty(t, failures(d))
}

// patience is a context that ends when it was asked for its error so often.
type patience struct {
	context.Context
	left int
}

func (p *patience) Err() error {
	if p.left--; p.left < 0 {
		return context.DeadlineExceeded
	}
	return nil
}
