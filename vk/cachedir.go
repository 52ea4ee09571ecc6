package vk

import (
	"os"
	"path/filepath"
)

// DefaultCacheDir returns the folder of what devices opened by name keep: pipeline
// caches, self-tests and tuning. It is made where it is missing; "" where there can
// be none.
func DefaultCacheDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir := filepath.Join(base, "fornax", "vulkan")
	if os.MkdirAll(dir, 0o755) != nil {
		return ""
	}
	return dir
}
