//go:build !cgo

package vk

import "github.com/fornax-ml/fornax/tensor/ir"

// Devices implements ir.Backend.
func (backend) Devices() ([]ir.Info, error) { return nil, ErrNoCgo }

// Open implements ir.Backend.
func (backend) Open(int) (ir.Device, error) { return nil, ErrNoCgo }

// Device exists so that code without a cgo tag can name it; there are none.
type Device struct {
	ir.Device
	ir.Reporter
	ir.SelfTester
}

// Profile returns nil: there are no kernels to time.
func (*Device) Profile() []Timing { return nil }

// Open returns ErrNoCgo.
func Open(int, Options) (*Device, error) { return nil, ErrNoCgo }
