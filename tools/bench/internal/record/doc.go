// Package record is what the benchmark writes down: runs, each of one machine and
// commit, with its devices and results, and their statistics. A file holds any number of
// runs, so that those of several machines make one file.
//
// Files come from strangers: [Read] bounds their size and refuses what no measurement can
// be, so that what works on a [File] need not look again.
package record
