// Package tensor is the API: lazily evaluated arrays on any device.
//
// A [Tensor] describes a value. Ops check shapes and dtypes, build a graph and
// compute nothing. [Eval], [Data] and Item hand what was asked for to the
// planner, which turns it into one program of a few fused kernels; the device
// compiles that program once and runs it again whenever a graph of the same
// structure comes back. Numbers given from Go (a learning rate, a step) are
// run-time arguments and never make a new program.
//
//	d, err := tensor.Open("auto")
//	x := tensor.FromSlice(d, []float32{1, 2, 3, 4}, 2, 2)
//	y := x.MatMul(x.T()).Relu().Sum()
//	dx := tensor.Grad(y, x)[0]
//	v, err := y.Item()
//
// # State
//
// What changes lives in a [Cell]: parameters, optimizer state, learning rates.
// Set records a replacement, which the next evaluation of anything that read
// the cell carries out in the same program, in the old value's memory. A
// whole training step is thus one program. [Compile] goes further: a compiled
// step does not rebuild the graph.
//
// # Errors
//
// Calls that compute panic on misuse, with a *[ShapeError], *[DTypeError],
// *[DeviceError], *[GradError] or *[TraceError], and otherwise cannot fail;
// [Try] turns the panic into an error. Calls that open, evaluate or read
// return errors. A failure in a constructor or in an evaluation that happened
// on the way is carried by the tensor and returned by Eval, Data and Item.
//
// # Settled meanings
//
// No implicit promotion, but where [Autocast] is asked for: dtypes of operands are
// equal, and a Go number takes the tensor's dtype. Shapes broadcast as in NumPy. Axes count from 0,
// negative ones from the end; reductions drop them. Rank is up to 8;
// zero-size and rank-0 tensors are ordinary. Integer division truncates and
// gives 0 by zero; float to integer saturates, NaN gives 0. Max, Min, Maximum
// and Minimum propagate NaN; ArgMax takes the first of ties. Two runs on one
// device give equal bits.
//
// # Goroutines
//
// Everything may be used from several goroutines. Evaluations that read or
// replace the same cell wait for each other; others run side by side.
//
// # Choices
//
// Compiled is a type with Call rather than a plain function, because a step
// needs a context and returns an error, as every call that evaluates does. A
// trace belongs to the goroutine that makes it, so that another goroutine's
// training step is not recorded in it.
package tensor
