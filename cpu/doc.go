// Package cpu is the device that computes on the processor, with goroutines.
// Importing it registers the backend "cpu" with one device of that name.
//
// # How a program runs
//
// Compile turns each instruction into a plan: views are collapsed, chains
// become lists of block kernels, and loop orders and splits are chosen from the
// shapes. Run then executes the instructions in order, on the caller's
// goroutine and on the device's workers, and returns when they are done. What a
// run needs (its arena, its scratch) comes from pools: a steady state
// allocates nothing.
//
// Reductions and maps that follow each other along the same rows (softmax, norms)
// are one stage: a task takes a block of rows through all of them, so that memory
// is read and written once and what only they need is never in it (see rows.go).
// Small instructions that do not wait for each other are another (see stage.go).
//
// The tasks of a loop are shared out in parts that follow each other, the same
// part to the same worker in each loop, so that it finds in its core's caches what
// it left there; who is done early takes tasks of the others. Workers wait for the
// next loop for 150 µs before they park. Work of less than 20 µs stays on the
// caller's goroutine; the goroutines of all runs together are no more than
// GOMAXPROCS beside the callers.
//
// # Kernels
//
// A chain runs over blocks of 1024 positions, so that its registers stay in
// the first-level cache. Contiguous operands are used in place, others are
// gathered to a block; where one is transposed blocks are tiles, which assembly
// turns in registers. Copies too large for the caches are stored past them. What is
// the same at all positions (constants, scalars, operands with all strides 0) is
// computed once a run. Float32 steps that follow each other are run by a
// chain machine in assembly, which keeps what it computes in registers (see
// fused.go); the others are a kernel call a block.
//
// The kernels are entries of tables (see kernels.go and gemm.go). A level is a
// set of tables: avx512bf16, avx512 and avx2 on amd64, neon on arm64, or portable,
// which is Go. avx512bf16 is avx512 with other products of BF16.
// The device takes the best that the processor has, or the one that
// FORNAX_CPU_LEVEL or Options names. Assembly is written by the program in _asm,
// from tables of variants. That of neon is tested under emulation: its speed is not
// measured.
//
// # Numbers
//
// float32 arithmetic is rounded op by op and never contracted. The portable
// float32 transcendental functions (math32.go) are computed in float64 and
// rounded once; the tests hold them to 0.51 ulp over all exponents.
// Assembly on amd64 has exp, exp2, expm1, log, log2, log1p, sinh, cosh, tanh,
// sigmoid, erf, sin, cos, tan, asin, acos, atan and atan2 in float32, within 3 ulp
// (tan: 3.5; each one's bound is in mathBounds of the tests, and holds for every
// float32), and pow in float64, rounded once; neon has exp, log, tanh, sigmoid and
// erf within 3 ulp. Everything else has equal bits at all levels, be it Go or
// assembly: arithmetic, comparisons, conversions, integers, Philox. What is left
// of a block goes through the same instructions as the rest, so that a result does
// not depend on its place. F16 and BF16 are storage: each op is computed in
// float32 and then rounded to the dtype.
//
// avx512bf16 multiplies BF16 by the processor's instruction for pairs of elements
// along K, at twice the rate of float32: it adds the second product of a pair first,
// and takes numbers below the least normal float32, 1.2e-38, for zeros, in the
// operands and in the sums. Those who want the sums of the other levels name one.
//
// A sum is split by shapes only, never by the number of workers: float32 sums
// add runs of at most 256 elements in float32 lanes (8; of assembly 64, or 32 in
// short rows and of neon) and the runs in float64; float64 sums do the same with a
// compensated total. Every result has
// equal bits on any GOMAXPROCS. Products are sums in order of k, in pieces that
// depend on K only; levels other than portable contract them to fused
// multiply-adds. Levels may differ in the last bits.
package cpu

//go:generate go run -C _asm .
