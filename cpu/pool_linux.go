package cpu

import (
	"syscall"
	"unsafe"
)

// hugePage is the size of the system's large pages, where it has them.
const hugePage = 2 << 20

// adviseHuge asks for large pages in fresh memory: what walks through much
// memory, above all across its pages, waits for the processor's page tables
// otherwise. It is advice; a system without such pages ignores it.
func adviseHuge(b []byte) {
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (hugePage - 1))
	if n := (len(b) - off) &^ (hugePage - 1); n > 0 {
		_ = syscall.Madvise(b[off:off+n], syscall.MADV_HUGEPAGE)
	}
}
