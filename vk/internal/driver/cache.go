//go:build cgo

package driver

/*
#include "driver.h"

#cgo noescape fx_cache_create
#cgo nocallback fx_cache_create
#cgo noescape fx_cache_data
#cgo nocallback fx_cache_data
*/
import "C"

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"unsafe"
)

// pipelineCache is the VkPipelineCache and its file.
type pipelineCache struct {
	handle C.VkPipelineCache
	id     cacheID
	loaded int // bytes that came from the file

	mu   sync.Mutex // saving
	disk [32]byte   // SHA-256 of the blob on disk
}

func (c *pipelineCache) open(d *Device) error {
	c.id = cacheID{d.info.VendorID, d.info.DeviceID, d.info.DriverVersion, d.info.PipelineCacheUUID}
	if d.opt.CacheDir != "" {
		if blob := readCache(d.opt.CacheDir, c.id); blob != nil {
			r := C.fx_cache_create(d.c, unsafe.Pointer(&blob[0]), C.size_t(len(blob)), &c.handle)
			if r == C.VK_SUCCESS {
				c.loaded, c.disk = len(blob), sha256.Sum256(blob)
				return nil
			}
		}
	}
	return d.check("vkCreatePipelineCache", C.fx_cache_create(d.c, nil, 0, &c.handle))
}

// CacheLoaded is how many bytes of pipeline cache were read from disk when the device was opened.
func (d *Device) CacheLoaded() int { return d.cache.loaded }

// SavePipelineCache writes the pipeline cache to its file in DeviceOptions.CacheDir, when it has changed.
// Close does it too.
func (d *Device) SavePipelineCache() error {
	if err := d.usable(); err != nil {
		return err
	}
	return d.cache.save(d)
}

func (c *pipelineCache) save(d *Device) error {
	if d.opt.CacheDir == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	blob, err := c.data(d)
	if err != nil {
		return wrap("save pipeline cache", err)
	}
	sum := sha256.Sum256(blob)
	if len(blob) == 0 || sum == c.disk {
		return nil
	}
	if err := writeCache(d.opt.CacheDir, c.id, blob); err != nil {
		return fmt.Errorf("driver: save pipeline cache: %w", err)
	}
	c.disk = sum
	return nil
}

// data is what the driver would have kept; nothing where it keeps caches itself.
func (c *pipelineCache) data(d *Device) ([]byte, error) {
	for range 4 { // the cache may grow between the two calls
		var n C.size_t
		if err := d.check("vkGetPipelineCacheData", C.fx_cache_data(d.c, c.handle, &n, nil)); err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, nil
		}
		blob := make([]byte, n)
		r := C.fx_cache_data(d.c, c.handle, &n, unsafe.Pointer(&blob[0]))
		if r == C.VK_INCOMPLETE {
			continue
		}
		if err := d.check("vkGetPipelineCacheData", r); err != nil {
			return nil, err
		}
		if n < vkHeader {
			return nil, nil // lavapipe of Mesa 26.2 announces 32 bytes and gives 20
		}
		return blob[:n], nil
	}
	return nil, nil
}

// CacheBytes is how many bytes of pipeline cache the driver gives to keep: 0 where it
// has a cache of its own, or none.
func (d *Device) CacheBytes() int {
	if d.usable() != nil {
		return 0
	}
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	blob, _ := d.cache.data(d)
	return len(blob)
}

func (c *pipelineCache) close(d *Device) { C.fx_cache_destroy(d.c, c.handle) }
