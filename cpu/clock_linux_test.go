package cpu_test

import (
	"syscall"
	"time"
	"unsafe"
)

// threadTime returns the processor time of the calling thread, which other
// work on the machine does not add to.
func threadTime() time.Duration {
	const clockThreadCPUTime = 3
	var t syscall.Timespec
	if _, _, e := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPUTime, uintptr(unsafe.Pointer(&t)), 0); e != 0 {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(t.Nano())
}
