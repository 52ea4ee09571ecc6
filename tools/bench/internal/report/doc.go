// Package report makes of benchmark records one HTML page without anything from a network:
// in plain words why GPUs are used for deep learning, with the numbers of the machines
// measured, then rooflines, the sizes from which a device overtakes the processor, and how
// cost grows with cores, workgroups and work.
//
// Numbers in the text are derived once, by [Derive], and kept with the record; the page has
// no others than those and the results. Plots are SVG in the page: colours are variables of
// its style sheet, which has a light and a dark set.
package report
