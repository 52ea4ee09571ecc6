package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// processTime returns the processor time of all threads of the process.
func processTime() time.Duration { return clock(unix.CLOCK_PROCESS_CPUTIME_ID) }

// threadTime returns the processor time of the calling thread.
func threadTime() time.Duration { return clock(unix.CLOCK_THREAD_CPUTIME_ID) }

func clock(id int32) time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(id, &t) != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(t.Nano())
}

// waitTime returns how long the threads of the process were ready to run and had
// no processor: the second number of schedstat.
func waitTime() time.Duration {
	sum := 0
	files, _ := filepath.Glob("/proc/self/task/*/schedstat")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if f := bytes.Fields(text); err == nil && len(f) > 1 {
			ns, _ := strconv.Atoi(string(f[1]))
			sum += ns
		}
	}
	return time.Duration(sum)
}
