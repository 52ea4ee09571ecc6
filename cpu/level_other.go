//go:build (!amd64 && !arm64) || purego

package cpu

import "unsafe"

// archLevels returns the levels beside the portable one.
func archLevels() []*level { return nil }

// The rows of rowsPortable are folded in Go, and there is no other kind here.

func rowSum(rowKind, unsafe.Pointer, int) float64 { return 0 }

func extreme(rowKind, bool, unsafe.Pointer, int) float32 { return 0 }

func flushColumns(_ rowKind, _, _, _ unsafe.Pointer, _ int) {}
