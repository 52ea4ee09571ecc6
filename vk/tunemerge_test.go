package vk_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/vk"
)

// TestMergeTuned: the entry with the larger gain stays, records of different devices do
// not mix, and what is no record is an error that leaves the output alone.
func TestMergeTuned(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	a := write("a", `{"kernels":"k","device":"d","driver":"v","entries":{"x":{"variant":"slow","ns":100,"default_ns":110},"y":{"variant":"only","ns":5,"default_ns":5}}}`)
	b := write("b", `{"kernels":"k","device":"d","driver":"v","entries":{"x":{"variant":"fast","ns":50,"default_ns":120}}}`)
	out := filepath.Join(dir, "out")
	for _, order := range [][]string{{a, b}, {b, a}} {
		require.NoError(t, vk.MergeTuned(out, order...))
		data, err := os.ReadFile(out)
		require.NoError(t, err)
		var r struct {
			Device  string
			Entries map[string]struct{ Variant string }
		}
		require.NoError(t, json.Unmarshal(data, &r))
		require.Equal(t, "d", r.Device)
		require.Equal(t, "fast", r.Entries["x"].Variant)
		require.Equal(t, "only", r.Entries["y"].Variant)
	}
	before, err := os.ReadFile(out)
	require.NoError(t, err)
	for name, text := range map[string]string{
		"device": `{"kernels":"k","device":"other","driver":"v","entries":{}}`, "kernels": `{"kernels":"l","device":"d","driver":"v"}`, "text": "no JSON",
	} {
		require.Error(t, vk.MergeTuned(out, a, write(name, text)), name)
	}
	require.Error(t, vk.MergeTuned(out))
	require.Error(t, vk.MergeTuned(out, a, filepath.Join(dir, "missing")))
	after, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, before, after)
}
