package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// TestPageIsFresh fails when the table, a gradient rule or a record changed
// and docs/ops.md did not.
func TestPageIsFresh(t *testing.T) {
	require.NoError(t, run("../..", true))
}

func TestPageListsEveryOpAndRecord(t *testing.T) {
	records, err := readRecords("../../docs/conformance")
	require.NoError(t, err)
	require.NotEmpty(t, records)
	page := string(render(records))
	for _, row := range ir.Table() {
		require.Contains(t, page, "\n| "+row.Name+" | ")
	}
	for _, r := range records {
		require.Contains(t, page, "| "+r.Device+" |")
		require.Empty(t, r.Failed, r.Device)
	}
	require.Contains(t, page, "| exp | eˣ | floats | yes |")
	require.Contains(t, page, "| floor | ⌊x⌋ | floats |  |")
}

func TestStalePageIsFound(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "docs", "conformance"), 0o755))
	require.NoError(t, run(dir, false))
	require.NoError(t, run(dir, true))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docs", "conformance", "a.json"), []byte(`{"device":"x","passed":{"exp":["f32"]}}`), 0o644))
	require.ErrorContains(t, run(dir, true), "stale")
	require.NoError(t, run(dir, false))
	b, err := os.ReadFile(filepath.Join(dir, "docs", "ops.md"))
	require.NoError(t, err)
	require.True(t, strings.Contains(string(b), "| A: f32 |"))
}
