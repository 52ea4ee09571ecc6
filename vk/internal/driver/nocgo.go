//go:build !cgo

package driver

// Instance exists so that code without a cgo tag can name it.
type Instance struct{}

// InstanceOptions as with cgo.
type InstanceOptions struct{ Validation bool }

// Open returns ErrNoCgo.
func Open(InstanceOptions) (*Instance, error) { return nil, ErrNoCgo }
