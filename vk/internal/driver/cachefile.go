package driver

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
)

// The pipeline cache file: the driver's blob behind a header of our own. A driver may crash on a damaged
// blob, so nothing reaches it whose length, hash or origin is wrong.
//
//	0   8  "fornaxPC"
//	8   8  length of the blob, little endian
//	16 32  SHA-256 of the blob
//	48     blob, which begins with Vulkan's header (VkPipelineCacheHeaderVersionOne):
//	       length, version 1, vendor, device, pipelineCacheUUID
const (
	cacheMagic  = "fornaxPC"
	cacheHeader = 48
	vkHeader    = 32
	maxCache    = 1 << 30
)

// cacheID says whose cache a blob is.
type cacheID struct {
	vendor, device, driver uint32
	uuid                   [16]byte
}

func (id cacheID) fileName() string {
	return fmt.Sprintf("pipelines-%08x-%08x-%08x-%x.bin", id.vendor, id.device, id.driver, id.uuid)
}

// encodeCache frames a blob.
func encodeCache(blob []byte) []byte {
	sum := sha256.Sum256(blob)
	out := append(make([]byte, 0, cacheHeader+len(blob)), cacheMagic...)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(blob)))
	out = append(out, sum[:]...)
	return append(out, blob...)
}

// decodeCache returns the blob of a whole, undamaged file that belongs to id.
func decodeCache(file []byte, id cacheID) ([]byte, bool) {
	if len(file) < cacheHeader+vkHeader || string(file[:8]) != cacheMagic {
		return nil, false
	}
	blob := file[cacheHeader:]
	if binary.LittleEndian.Uint64(file[8:]) != uint64(len(blob)) {
		return nil, false
	}
	if sum := sha256.Sum256(blob); !bytes.Equal(sum[:], file[16:48]) {
		return nil, false
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(blob[4*i:]) }
	ok := word(0) >= vkHeader && uint64(word(0)) <= uint64(len(blob)) && word(1) == 1 &&
		word(2) == id.vendor && word(3) == id.device && bytes.Equal(blob[16:32], id.uuid[:])
	return blob, ok
}

// readCache returns the blob of the file, or nil for any reason.
func readCache(dir string, id cacheID) []byte {
	path := filepath.Join(dir, id.fileName())
	if st, err := os.Stat(path); err != nil || st.Size() > maxCache {
		return nil
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	blob, ok := decodeCache(file, id)
	if !ok {
		return nil
	}
	return blob
}

// writeCache replaces the file.
func writeCache(dir string, id cacheID, blob []byte) error {
	return ReplaceFile(filepath.Join(dir, id.fileName()), encodeCache(blob))
}

// ReplaceFile writes a file in one step, so that a reader sees the old one or the
// new one, and makes its folder where there is none.
func ReplaceFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".fornax-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
