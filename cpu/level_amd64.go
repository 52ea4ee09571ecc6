//go:build !purego

package cpu

import "golang.org/x/sys/cpu"

// archLevels returns the levels of this processor beside the portable one. The
// feature bits include what the operating system saves and restores.
func archLevels() []*level {
	var l []*level
	x := &cpu.X86
	if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL && x.HasFMA && x.HasAVX2 {
		lv := level{name: "avx512", kernels: kernelsAVX512(), gemm32: gemmAVX512(), gemm64: gemmDoubleAVX512(), peak: peak512, lanes: 16, gain: 20}
		if x.HasAVX512BF16 {
			bf16 := lv
			bf16.name, bf16.gemmBF16 = "avx512bf16", gemmPairsAVX512()
			l = append(l, &bf16)
		}
		l = append(l, &lv)
	}
	if x.HasAVX2 && x.HasFMA {
		l = append(l, &level{name: "avx2", kernels: kernelsAVX2(), gemm32: gemmAVX2(), gemm64: gemmDoubleAVX2(), peak: peak256, lanes: 8, gain: 12})
	}
	return l
}
