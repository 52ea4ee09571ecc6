//go:build cgo

package vk_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/vk"
)

// TestPipelineCacheIsKept: the cache is on disk soon after pipelines were
// built, without Close, and a foreign file in its place is replaced.
func TestPipelineCacheIsKept(t *testing.T) {
	dir := t.TempDir()
	files := func() []string {
		l, err := filepath.Glob(filepath.Join(dir, "pipelines-*"))
		require.NoError(t, err)
		return l
	}
	kept := true
	use := func() *tensor.Device {
		dev := open(t, vk.Options{CacheDir: dir})
		d := tensor.New(dev)
		v, err := tensor.Ones(d, 300).Exp().Sum().Item()
		require.NoError(t, err)
		require.InDelta(t, 300*2.718281828, v, 1e-2)
		kept = !strings.HasPrefix(fact(dev, "pipeline cache"), "0 bytes")
		return d
	}
	use()
	if !kept { // as Mesa 26's lavapipe, which has a cache of its own
		time.Sleep(time.Second)
		require.Empty(t, files())
		return
	}
	require.Eventually(t, func() bool { return len(files()) == 1 }, 10*time.Second, 20*time.Millisecond)
	name := files()[0]
	foreign := "not a pipeline cache"
	require.NoError(t, os.WriteFile(name, []byte(foreign), 0o644))
	use()
	require.Eventually(t, func() bool {
		b, err := os.ReadFile(name)
		return err == nil && string(b) != foreign
	}, 10*time.Second, 20*time.Millisecond)
}
