//go:build !purego

package cpu

import "unsafe"

// newFusedSet makes the chain machine of a level.
func newFusedSet(run func(*fusedArgs), routines unsafe.Pointer, chunk int) *fusedSet {
	return &fusedSet{run: run, chunk: chunk, routines: unsafe.Slice((*uintptr)(routines), numFused), unary: fusedUnary, binary: fusedBinary}
}
