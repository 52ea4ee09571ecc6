// Package compare says which cases got slower from one run of the benchmark to another.
//
// The samples of two runs that were measured one after the other are compared by the test of
// Mann and Whitney, those of a run in which both took turns by that of Wilcoxon, on the
// logarithms of the ratios of each round. As there are many cases the chance that any of them
// seems to differ by accident is bounded with Holm's correction. A case has changed if its
// probability, so corrected, is below [Options.Alpha], the medians differ by at least
// [Options.Least], and the interval of their ratio, resampled by passes where there are
// enough, does not hold 1.
//
// Rounds of one run are more alike than two runs are: other work on the machine, its clock,
// and where memory happened to lie change from run to run. Of runs that did not take turns
// the ratios of all cases of a device show how much: a change must stand out from them too,
// and with fewer than three passes a side it is only a suspect.
// The middle of these ratios, a drift of everything, may be the machine's or the commit's;
// only a run that took turns can tell.
package compare
