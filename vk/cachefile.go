//go:build cgo

package vk

import (
	"sync"
	"time"
)

// cacheDelay is how long after the last new pipeline the cache is written:
// long enough for a program's first step to build all of its own.
const cacheDelay = 300 * time.Millisecond

// A saver writes the pipeline cache to disk without waiting for Close, which
// few programs call.
type saver struct {
	mu      sync.Mutex
	timer   *time.Timer
	built   int // pipelines at the last call of soon
	stopped bool
}

// soon writes the cache a little later, if pipelines were built since the last
// call. A cache that cannot be written is no failure of the device.
func (s *saver) soon(d *Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	built := int(d.drv.Stats().Pipelines)
	if s.stopped || built == s.built {
		return
	}
	s.built = built
	if s.timer != nil {
		s.timer.Reset(cacheDelay)
		return
	}
	s.timer = time.AfterFunc(cacheDelay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.stopped {
			_ = d.drv.SavePipelineCache()
		}
	})
}

// stop ends the writing; Close writes a last time.
func (s *saver) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.timer != nil {
		s.timer.Stop()
	}
}
