//go:build !amd64 || purego

package cpu

// archLevels returns the levels beside the portable one.
func archLevels() []*level { return nil }
