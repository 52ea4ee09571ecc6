//go:build !purego

package cpu

// archLevels returns the levels of this processor beside the portable one: every
// arm64 that Go runs on has NEON.
func archLevels() []*level {
	return []*level{{name: "neon", kernels: kernelsNEON(), gemm32: gemmNEON(), gemm64: portableGemm[float64](), peak: peakNEON, lanes: 4, gain: 4}}
}
