// Package auto is a device that runs each program on one of several: the one where it is
// expected to be done first.
//
//	d, err := auto.Open([]string{"cpu", "vulkan:0"}, auto.Options{CacheDir: auto.DefaultCacheDir()})
//
// tensor.Open("auto") opens it where there is real hardware besides the CPU. It is an
// [ir.Device], so that nothing above the seam knows of it.
//
// # The model
//
// A program of instructions i on a member takes, in seconds,
//
//	T = launch + Σᵢ max(step, moved(bytesᵢ), Σ_f t_f(unitsᵢ))
//
// where launch is the time of a program of one element with the wait for it, step that of
// one more instruction which does next to nothing, moved(b) the time to read and write b
// bytes, and t_f(u) that of u units of the other families of work: cheap elementwise ops,
// costly ones (all without OpInfo.Cheap), elements that reductions take in, floating-point
// operations of matrix products (a multiply-add is two), elements picked and added at
// indices. What a custom op computes is not known: it counts as the bytes that it moves.
//
// moved and t_f are curves through at most three measured points each, straight in
// logarithms between them and proportional outside: so a cache, and a device that small
// work leaves idle, are in them. The time of b bytes between the host and a member is
// latency + b/bandwidth, and between members that of both ways.
//
// Calibration measures these once, all members together within Options.Budget (1.5 s),
// and keeps them in a file for each device, driver and number of processors. What the
// budget did not reach is guessed from the bytes, and measured when the device is opened
// next. A file that is damaged is ignored and replaced.
//
// # Measured times
//
// A measured time takes the place of T for its program, and corrects T of others: for
// each family that takes most of a program's time, the logarithm of measured to estimated
// time is averaged, the latest counting a tenth.
//
// Devices work while the host goes on. So a time is that of a window: the member is idle
// when it begins, then come one run or a few (2 ms, at most 16) of one program, and the
// wait. What the host was kept in calls of Run and of that wait, over the runs, is the
// time; the first read, write or other program ends the window, as the host then waits
// anyway. The first runs are measured from the second one on, and then ever fewer, one
// window in 256 runs. The median of the last five counts.
//
// # The choice
//
// At its n-th run a program costs on a member
//
//	T + inputs that come anew each time + outputs on their way to where they are used
//	  + (inputs that stay + compiling) / n
//
// in which what has to be done once is shared by as many runs as there were: a program is
// expected to run once more as often as it has run. So the price of moving is never more
// than about that of having stayed too long. Inputs that stay are those that the program
// made itself (a training's state) and those that did not change since its last run.
// Inputs that the host writes come anew; they are written to the member that needed the
// last ones of their size. Those of other programs count half, for the other program may
// come along. Where outputs were used first, on the host or on a member, is known from
// earlier runs.
//
// The member with the least cost runs the program, if it is a tenth better than the
// present one. Decisions are made anew after the first measurements, and then ever more
// rarely, at most 64 runs apart, or when an input is not where it should be.
//
// The model can be wrong about a member that never ran the program. One that looks at
// most 3 times slower than the present one is tried for a few runs, long programs for one,
// once the program has run 8 times as long as the trial may lose with compiling and moving
// there and back; one that was measured and is at most 1.5 times slower is tried again after
// 40 times as long. The first run on a member that takes more than four times what
// another takes ends the matter.
//
// # What holds
//
// Results are those of the member that computes. Which one that is may depend on
// measurements and so differ from run to run; a program's sums then have the bits of one
// device or the other. [Options.Pin], [Device.Pin] and FORNAX_AUTO_PIN name the member
// that runs everything, and then two runs give equal bits, as on the member itself.
//
// A buffer has memory on the members that need it, and copies by way of the host when one
// needs it that has not the contents. A write, or a program, leaves one member with the
// contents; the memory of the others is freed once nobody uses it. What several members
// have is freed where one runs out of memory. A program that one member cannot run, by
// dtype, limit, kernel of a custom op or for want of memory, runs on another. Memory is
// had when it is first needed, so Write and Run may give what NewBuffer gives on other
// devices.
//
// A lost member is out. What only it had gives [ir.ErrDeviceLost], and so does the next
// Sync, once; the rest goes on. When all are lost the device is.
package auto
