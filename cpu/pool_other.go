//go:build !linux

package cpu

// adviseHuge does nothing: large pages are not advised here.
func adviseHuge([]byte) {}
