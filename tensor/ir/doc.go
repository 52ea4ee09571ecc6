// Package ir is the seam between the tensor API and the devices that compute.
//
// A device receives a [Program]: a list of instructions over slots, with a
// memory plan. It compiles the program once and runs it many times. There is
// no method per op: what an elementwise op means is a row of the op table
// ([Table]), and an instruction carries a [Chain] of such ops.
//
// # Values in memory
//
// A [Slot] is a packed, C-ordered array of one dtype that starts at element 0;
// sizes are rounded up to 4 bytes and the padding bytes have no meaning.
// Instructions read slots through a [View] (offset, shape, strides, and a mask
// for padding), so reshape, permute, slice, expand, pad and flip cost nothing.
// Every instruction writes whole slots: there are no partial writes.
//
// # Program arguments
//
// The slots of a program are ordered: first its inputs, then its outputs, then
// its temporaries. Run takes the buffers of inputs and outputs in that order.
// An output whose [Slot.Alias] names an input takes over that input's memory;
// the caller passes the same buffer for both. Temporaries live at
// [Slot.Offset] in an arena of [Program.ArenaBytes] bytes that the device
// provides and may share between programs.
//
// # Laws a device keeps
//
//   - Instructions take effect in order, as if one after the other.
//   - Two runs on one device give equal bits: no float atomics; how a sum is
//     split depends on shapes and device limits only.
//   - float32 arithmetic is IEEE binary32, each op rounded by itself (no
//     contraction into fused multiply-add inside a chain); integer arithmetic
//     wraps; division by zero gives 0 for integers; float to integer
//     conversion saturates and NaN gives 0.
//   - Maximum, Minimum, Max and Min propagate NaN; comparisons with NaN are
//     false, NotEqual true. ArgMax and ArgMin take the first of ties and the
//     first NaN if there is one.
//   - An index out of range reads as 0 (Gather) or adds nothing (ScatterAdd),
//     and the next call that waits returns an [*IndexError].
//   - Zero-size shapes are ordinary: a Reduce over no elements writes the
//     op's identity.
//   - Run returns once work is submitted; Read waits for what it reads.
package ir
