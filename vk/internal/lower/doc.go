// Package lower turns a program's instructions into dispatches: which kernel
// module, which calls to splice into its template functions, which buffers,
// and the words of the parameter block. It knows nothing of Vulkan's API.
//
// Structure goes into the kernel (ops, ranks after merging axes, which operands
// are broadcast or masked, dtypes), numbers into the block (sizes, strides,
// offsets, scalars), so a new batch size makes no new kernel.
package lower
