// Package plan turns a graph of tensor ops into an [ir.Program].
//
// [Build] runs these passes:
//
//   - simplify: dead nodes, equal subexpressions, constants computed from
//     constants, and arithmetic with the fixed constants 0 and 1 go away;
//     pairs of movements become one. Scalars are run-time data and are never
//     compared by value.
//   - orient: a matrix product that is only read transposed becomes the product
//     of the transposes.
//   - legalize: movement is folded into the views that consumers read
//     through. Where no view can say it (a reshape of a transposed value, two
//     borders of different values) a copy is put in.
//   - fuse: nodes become groups. An elementwise node joins the group of an
//     argument: of a Map, or as epilogue of a reduction or matrix product. A
//     value that others need too is stored by the group that computes it, or
//     computed again by its readers where that moves fewer bytes. See fuse.go
//     and inline.go for the rules.
//   - order: readers of donated memory come before its new owner; what frees
//     memory comes early.
//   - lower: a group becomes one instruction; axes that every view steps
//     through alike are merged, axes of size 1 dropped.
//   - place: outputs take over donated inputs, instructions write in place
//     where the last reader allows it, and temporaries get arena offsets by
//     lifetime.
//
// A [Cache] keeps the compiled program of each graph, by structure.
//
// # What a plan keeps
//
// A plan has the bits of the graph computed node by node, whatever is fused:
// nothing is reassociated or contracted, and a sum or product runs over the
// same sizes (the iteration of a MatMul, with batches that share B counted as
// rows, is fixed before its epilogue is chosen). Devices do their part by
// splitting sums by sizes and not by what is fused or how operands lie.
//
// There are these exceptions, all on the side of simplification and equal
// with and without fusion:
//
//   - x + 0 is x, so that -0 + 0 gives -0: gradients start from zeros.
//   - A sum, product, maximum, … of a single element is that element.
//   - The payload of a NaN may differ.
//
// # What is fused
//
//   - Elementwise chains, through reshapes too; through other movement where
//     the producer has no other reader or is cheap to compute again.
//   - Elementwise producers into a Reduce, elementwise consumers behind a
//     Reduce or MatMul, with several stores where several values are needed.
//   - Maps over the same elements that read the same value.
//
// An instruction never binds more than Limits.Operands slots, and a chain has
// at most 64 steps. Costly ops (all without OpInfo.Cheap) are never computed
// more often than the graph says. A padded value is stored before it is
// padded. MatMul, Gather, ScatterAdd and custom ops read memory; the last
// three have no epilogue.
package plan
