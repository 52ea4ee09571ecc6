//go:build !linux

package main

import "time"

var started = time.Now()

// processTime stands for the processor time of the process.
func processTime() time.Duration { return time.Since(started) }

// threadTime stands for the processor time of the calling thread.
func threadTime() time.Duration { return time.Since(started) }

// waitTime is not known.
func waitTime() time.Duration { return 0 }
