package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Every device is in the report with its kernels, for people and as JSON; a backend
// without one has its reason.
func TestReport(t *testing.T) {
	var text, data bytes.Buffer
	require.NoError(t, run(&text, "", false, true, 0))
	require.NoError(t, run(&data, "", true, true, 0))
	var r report
	require.NoError(t, json.Unmarshal(data.Bytes(), &r))
	for _, b := range ir.Backends() {
		infos, err := b.Devices()
		if err != nil || len(infos) == 0 {
			require.NotEmpty(t, r.Missing[b.Name()])
			require.Contains(t, text.String(), "\n"+b.Name()+": "+r.Missing[b.Name()])
		}
		for _, info := range infos {
			require.Contains(t, text.String(), "\n"+info.Name+": "+info.Model+"\n")
		}
	}
	require.NotEmpty(t, r.Devices)
	for _, d := range r.Devices {
		require.NotEmpty(t, d.Driver, d.Name)
		require.Contains(t, d.DTypes, "f32", d.Name)
		topics := map[string]bool{}
		for _, f := range d.Facts {
			topics[f.Topic] = true
			require.NotEmpty(t, f.Name)
			require.NotEmpty(t, f.Value, "%s: %s", d.Name, f.Name)
			require.Contains(t, text.String(), f.Value)
		}
		require.True(t, topics["kernels"], "%s: %v", d.Name, d.Facts)
	}
}

func TestOneDevice(t *testing.T) {
	var text bytes.Buffer
	require.NoError(t, run(&text, "cpu", false, true, 0))
	require.Contains(t, text.String(), "\ncpu: ")
	require.NotContains(t, text.String(), "\nvulkan")
	require.ErrorContains(t, run(&text, "vulkan:99", false, true, 0), "vulkan:99")
}
