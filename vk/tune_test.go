//go:build cgo

package vk_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
	"github.com/fornax-ml/fornax/vk"
)

type tunedFile struct {
	Entries map[string]struct {
		Variant string
		NS      int64
	}
}

func readTuned(t *testing.T, dir string) (f tunedFile, path string) {
	l, err := filepath.Glob(filepath.Join(dir, "tuned-*"))
	require.NoError(t, err)
	require.Len(t, l, 1)
	data, err := os.ReadFile(l[0])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &f))
	return f, l[0]
}

// product runs a product of n × n and returns its bytes.
func product(t *testing.T, d *vk.Device, n int) []byte {
	p := matmul(nil, n, n, n)
	in := make([][]byte, 2)
	for i := range in {
		in[i] = random(ref.Rand(1, fmt.Sprint("tune", i)), ir.F32, n*n, [2]float64{-1, 1})
	}
	out, err := run(t, d, p, in)
	require.NoError(t, err)
	return out[0]
}

// productVariants lists the kernels that were tried for a product of floats in rows, of
// sizes that no four divides.
func productVariants(t *testing.T, dir string) (variants []string) {
	l, err := filepath.Glob(filepath.Join(dir, "selftest-*"))
	require.NoError(t, err)
	require.Len(t, l, 1)
	data, err := os.ReadFile(l[0])
	require.NoError(t, err)
	var f struct{ Entries map[string]any }
	require.NoError(t, json.Unmarshal(data, &f))
	most := map[string]int{} // two of a module
	for key := range f.Entries {
		_, name, _ := strings.Cut(key, " ")
		module, _, _ := strings.Cut(name, " ")
		if most[module]++; most[module] > 2 {
			continue
		}
		if strings.HasPrefix(name, "matmul_") || strings.HasPrefix(name, "matmul ") && strings.HasSuffix(name, " 1 1 1 1") {
			variants = append(variants, name)
		}
	}
	return variants
}

// TestTuning: the kernels of a class are timed before its first program, the fastest
// is on record for the next process, and whichever runs, the bits are the same.
func TestTuning(t *testing.T) {
	dir := t.TempDir()
	want := product(t, open(t, vk.Options{}), 65)
	d := open(t, vk.Options{CacheDir: dir, Tuning: vk.TuneAll})
	require.Equal(t, want, product(t, d, 65))
	f, path := readTuned(t, dir)
	require.Len(t, f.Entries, 1)
	for class, e := range f.Entries {
		require.Equal(t, "f32 1x128x128x128 a:k b:n", class)
		require.Positive(t, e.NS)
		require.Contains(t, fact(d, class), e.Variant)
	}

	// Every kernel that there is, put on record by hand, is used and gives the bits.
	seen := map[string]bool{}
	for _, variant := range productVariants(t, dir) {
		var r map[string]any
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &r))
		r["entries"] = map[string]any{"f32 1x128x128x128 a:k b:n": map[string]any{"variant": variant}}
		data, err = json.Marshal(r)
		require.NoError(t, err)
		other := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(other, filepath.Base(path)), data, 0o644))
		var mu sync.Mutex
		modules := map[string]bool{}
		d := open(t, vk.Options{CacheDir: other, Tuning: vk.TuneNever, Corrupt: func(module string, words []uint32) []uint32 {
			mu.Lock()
			defer mu.Unlock()
			modules[strings.TrimSuffix(module, "_address")] = true
			return words
		}})
		require.Equal(t, want, product(t, d, 65), variant)
		module, _, _ := strings.Cut(variant, " ")
		require.True(t, modules[module], "%s: %v", variant, modules)
		seen[module] = true
	}
	require.GreaterOrEqual(t, len(seen), 2)
}

// TestTuningRecordIsNotTrusted: a damaged record counts for nothing, and a kernel that
// does not exist is not found.
func TestTuningRecordIsNotTrusted(t *testing.T) {
	dir := t.TempDir()
	want := product(t, open(t, vk.Options{CacheDir: dir, Tuning: vk.TuneAll}), 33)
	_, path := readTuned(t, dir)
	for _, text := range []string{"", "{", `{"entries":{"f32 1x64x64x64 a:k b:n":{"variant":"matmul 1 2 3"}}}`, "null", `{"entries":null}`, `[]`} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		require.Equal(t, want, product(t, open(t, vk.Options{CacheDir: dir, Tuning: vk.TuneNever}), 33), "%q", text)
	}
}

// TestTuningNeverFailsTheRun: where there is no memory to tune in, the default runs.
func TestTuningNeverFailsTheRun(t *testing.T) {
	product(t, open(t, vk.Options{Tuning: vk.TuneNever}), 40) // its kernel passes its self-test
	var full atomic.Bool
	d := open(t, vk.Options{Tuning: vk.TuneAll, FailAlloc: func(int) error {
		if full.Load() {
			return ir.ErrOutOfMemory
		}
		return nil
	}})
	full.Store(true)
	x, err := d.Compile(matmul(nil, 40, 40, 40))
	require.NoError(t, err)
	x.Free()
	full.Store(false)
	product(t, d, 40)
}
