// Package plan turns a graph of tensor ops into an [ir.Program].
//
// [Build] runs these passes, one file each:
//
//  1. simplify: dead nodes, equal subexpressions and arithmetic with the fixed
//     constants 0 and 1 go away. Scalars are run-time data and are never
//     compared by value.
//  2. fuse: nodes become groups. Movement is folded into the views that
//     consumers read through; elementwise nodes join the group of their
//     consumer, as prologue of a reduction, or as epilogue of a reduction or
//     matrix product. A value that others need too is stored by the group that
//     computes it.
//  3. lower: a group becomes one instruction; axes that every view steps
//     through alike are merged.
//  4. place: outputs take over donated inputs, instructions write in place
//     where the last reader allows it, and temporaries get arena offsets by
//     lifetime.
//
// A [Cache] keeps the compiled program of each graph, by structure.
package plan
