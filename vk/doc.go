// Package vk computes on GPUs through Vulkan 1.1 or later. Importing it
// registers the backend "vulkan", whose devices are "vulkan:0", "vulkan:1", …
//
//	import _ "github.com/fornax-ml/fornax/vk"
//
// # How a program becomes work
//
// Package vk/internal/lower turns each instruction into one or a few dispatches: which
// module of shaders/spv, which calls to put into its template functions, which
// buffers, and the words of a parameter block. Package vk/internal/splice writes those
// calls into the module and drops what is then unreachable, so that the driver
// compiles straight-line code. Structure (ops, merged ranks, which operands are
// broadcast or masked) makes the kernel; numbers (sizes, strides, offsets,
// scalars) are data. Kernels are shared between programs by the hash of what
// made them.
//
// Families: Map and Gather run map.comp; Reduce runs reduce.comp, in two passes
// where one would leave the device idle; reductions, Maps and Gathers over the same rows
// run together in rows.comp. ScatterAdd runs scatteradd.comp, without atomics: a
// workgroup lists the updates of its rows in order, or an invocation walks through a
// column's; results of 8 and 16 bits compare every index for every element. Gather and ScatterAdd are preceded by indexcheck.comp, which notes the first bad index in a
// record that the host looks at when it waits. Custom ops bring a [Kernel].
//
// MatMul runs matmul.comp, which passes tiles through shared memory, matmul_direct.comp,
// which does not, or on CPU drivers with subgroups of 8 matmul_sub8.comp, in one of many
// tile shapes. Long sums of few results are cut into parts, which a Map adds; how
// depends on shapes and the kind of device only. These kernels all add products by fma in the
// order of k, so that the choice among them changes no bits. Products of halves run on matrix
// units where there are some, by matmul_coop.comp; see Tiers.
//
// # Tuning
//
// With [Options.Tuning] the kernels of a class of products (sizes to the next power of
// two, layouts, dtype) are timed before the first program that needs it, those that a
// self-test passed; the record lies beside the pipeline cache. tools/bench tune does so
// for common shapes. Without a record the first kernel of lower.MatMulKernels whose tile
// fits the product runs.
//
// Dispatches that do not depend on each other are put side by side. An executable records
// one command buffer for the whole program, with a barrier only where a dispatch touches what one since the last barrier wrote,
// or writes what one read, and submits it once a run, or in parts where
// its estimated work may trip a driver's watchdog ([Options.SubmitWork]). What varies between runs
// (addresses, scalars) is in the parameter block, of which an executable has a
// few with a command buffer each, so that runs overlap. Where kernels get their
// buffers by descriptor a command buffer belongs to one tuple of arguments, and
// the executable keeps the last sixteen.
//
// # Tiers
//
// Tier 0 needs Vulkan 1.1 core: kernels get buffers by descriptor, parameters in
// a uniform block of 16 KiB; 8-bit and 16-bit elements are packed words, four
// consecutive results an invocation. F16 and BF16 are storage: kernels compute in
// float32 and round, with integer arithmetic, at every op. Tier 1 adds kernels that get buffers by device
// address: no limit on a slot's size but memory's, 16 operands an instruction. Tier 2 adds
// products of halves on the GPU's matrix units (VK_KHR_cooperative_matrix): of F16, and
// where the device has VK_KHR_shader_bfloat16 of BF16, with sums of float32, at the
// largest fragment that the driver lists for subgroups. Their sums add up in the units' own
// order and so are not those of other kernels bit by bit; which products run there depends on
// dtype and sizes only (all of M, N and K at least 8), and all tiles give the same bits.
// Tier 3 runs them on VK_NV_cooperative_matrix2 instead: a matrix of sums is a whole tile, of
// a workgroup where the driver has that scope, else of a subgroup, and comes straight from
// memory where the tile lies within the product. It is on only where [Options.Tier] or
// FORNAX_VK_TIER asks for it: its kernels ran on lavapipe (subgroups), on no GPU yet, and
// whether they are quicker is not known. Tensor addressing is not used.
// f64 and i64 come with the features shaderFloat64 and shaderInt64, at any tier,
// as a second build of the same GLSL with 64-bit registers. [Options] and the
// environment's FORNAX_VK_TIER cap the tier.
//
// # Self-tests
//
// Before a program first uses a kernel's variant (module, entry and constants) or
// an op's function on a device and driver, that is compared with the reference on
// awkward sizes and special values; see vk/internal/trial. (Not tried are index
// checks, and products of halves on the kernels of float32 apart from those of float32.) What computes wrongly, does
// not build, or ends the process twice is off from then on, and where it has a
// stand-in (a smaller tile, lanes for rows, the other way to reach buffers) programs
// use that; otherwise they get *ir.UnsupportedError with the reason, never a wrong
// number. The verdicts lie beside the pipeline cache, for one device, driver and build
// of the shaders. [Device.Report] lists them, [Device.SelfTest] tries everything;
// [Options.Disable] and FORNAX_VK_DISABLE switch off by hand.
//
// # Where this differs from the design notes
//
// Arguments go by descriptor at tier 1 too on drivers that compute on the CPU:
// Mesa's lavapipe ran Map four to twelve times faster that way. A program that exceeds
// what descriptors allow falls back to addresses.
//
// One uniform block a dispatch holds everything that is not a buffer, metadata
// that never changes included, so kernels need no push constants.
//
// Reductions join values through shared memory, in an order that depends on the
// workgroup's size alone. Sums by subgroups would save some barriers and give other bits where
// subgroups have another size.
//
// Positions of one instruction are limited to 2³¹-1.
package vk
