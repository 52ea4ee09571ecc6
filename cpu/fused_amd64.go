//go:build !purego

package cpu

import "unsafe"

// newFusedSet makes the chain machine of a level.
func newFusedSet(run func(*fusedArgs), routines unsafe.Pointer, lanes int) *fusedSet {
	return &fusedSet{run: run, chunk: 4 * lanes, routines: unsafe.Slice((*uintptr)(routines), numFused), unary: fusedUnary, binary: fusedBinary}
}
