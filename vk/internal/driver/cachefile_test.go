package driver

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func testBlob(id cacheID, n int) []byte {
	b := make([]byte, n)
	for i, w := range []uint32{vkHeader, 1, id.vendor, id.device} {
		binary.LittleEndian.PutUint32(b[4*i:], w)
	}
	copy(b[16:], id.uuid[:])
	for i := vkHeader; i < n; i++ {
		b[i] = byte(i)
	}
	return b
}

func TestCacheFileDamage(t *testing.T) {
	id := cacheID{1, 2, 3, [16]byte{4}}
	file := encodeCache(testBlob(id, 100))
	_, ok := decodeCache(file, id)
	require.True(t, ok)
	for n := range file {
		_, ok := decodeCache(file[:n], id)
		require.False(t, ok, "cut to %d bytes", n)
		bad := append([]byte(nil), file...)
		bad[n] ^= 0x10
		_, ok = decodeCache(bad, id)
		require.False(t, ok, "byte %d flipped", n)
	}
	_, ok = decodeCache(append(file, 0), id)
	require.False(t, ok, "a byte too many")
	for _, other := range []cacheID{{9, 2, 3, id.uuid}, {1, 9, 3, id.uuid}, {1, 2, 3, [16]byte{9}}} {
		_, ok := decodeCache(file, other)
		require.False(t, ok, "foreign: %+v", other)
	}
}

func TestCacheFileReplaced(t *testing.T) {
	id := cacheID{1, 2, 3, [16]byte{4}}
	dir := filepath.Join(t.TempDir(), "new")
	require.Nil(t, readCache(dir, id))
	for _, n := range []int{100, 50} {
		require.NoError(t, writeCache(dir, id, testBlob(id, n)))
		require.Len(t, readCache(dir, id), n)
	}
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, names, 1, "temporary files stay behind")
}
