// Package ref runs programs slowly and plainly: it is the oracle that devices
// and the planner are tested against.
//
// Floats are held as float64 and are not rounded between steps, unless
// [Executor.Round] asks for it; integers are held as int64 and wrap to their
// dtype after each step. Two things round always, since rounding is what they
// mean: a cast, and what memory held before the program (arguments, scalars,
// constants, fills).
//
// The executor also checks the memory plan. Each slot has storage of its own;
// a slot whose memory another slot's write took over is lost, and reading a
// lost or never written slot is an error that names the instruction. So is a
// store over memory that its own instruction reads, but for the cases that
// [ir.Map], [ir.Reduce] and [ir.MatMul] allow.
package ref
