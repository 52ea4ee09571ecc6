// Bench measures devices, compares them with each other and with other libraries on
// the same machine, and says in a page to read why GPUs are used for deep learning.
//
//	go run ./tools/bench [flags]
//	go run ./tools/bench merge [flags] JSON...
//	go run ./tools/bench compare [flags] OLD NEW
//	go run ./tools/bench readme [-file README.md] JSON...
//	go run ./tools/bench cpu [flags]
//	go run -tags openblas ./tools/bench cpu -peers [flags]
//	go run ./tools/bench vulkan [flags]
//	go run ./tools/bench tune [flags]
//	go run ./tools/bench tune -merge OUT RECORD...
//
// # Every device
//
// Without a command it measures the CPU and every Vulkan device that the loader finds
// (VK_DRIVER_FILES names drivers to it), prints progress to standard error and a table to
// standard output, and writes a record, bench.json, and a report, bench.html. The flags:
//
//	-full         all sizes, to what memory allows, and longer; else a quick set
//	-device LIST  only these, with commas: cpu, cpu/avx2, vulkan, vulkan:1
//	-levels       the CPU at each SIMD level
//	-peers        compare the CPU with OpenBLAS, gonum and PyTorch too
//	-python FILE  as with cpu
//	-only REGEXP  only the cases whose names match: device/suite/op/size, such as
//	              vulkan:0/matmul or /exp/
//	-repeat N     passes over all cases (1; with -full 3)
//	-json FILE    the record (bench.json); "" for none
//	-html FILE    the report (bench.html); "" for none
//	-o FILE       write the table to a file too
//
// The suites:
//
//   - limits: the start of a program of one kernel with the wait for it (submit), a kernel
//     that waits for the one before within a program (dispatch), copies by size, transfers
//     from and to the host, multiplications and additions by the number of rows of 256
//     (about a workgroup each), and the processor's multiply-adds on registers (peak).
//   - map, reduce, move, index, random, matmul: kernel families from one element on;
//     _backward is the gradient alone, given that of the result.
//   - train: the loss of a perceptron 784-512-512-10, the loss with all gradients, and a
//     whole step with Adam, by the size of the batch.
//   - scaling: work of one size on one core to all.
//
// Time is the wall's: calls of a batch follow each other and the wait for the last counts.
// Rounds go on until the interval that holds the median with 95 % confidence (a pair of order
// statistics, whatever the distribution) reaches no farther than 3 % of it (1 % with -full)
// to either side, or the time of the case is spent; table and record state it. A Vulkan
// device is then opened once more with its clock, and the time of its kernels measured
// apart. Cases that would take too long, or for which there is no memory, are skipped, with
// the reason in the record; a wrong result is reported, never timed. merge joins records of
// other machines and vendors:
//
//	-json FILE    (merged.json)
//	-html FILE    (merged.html)
//
// readme writes a table of the figures of records between two lines of a file (-file,
// README.md), with the peers' columns.
//
// # Comparing two commits
//
// compare shows which cases got slower from OLD to NEW, and exits with 1 where some did.
// Package internal/compare says how. Two records of a busy machine differ for many reasons;
// it says what cannot be told from noise. With -run OLD and NEW are two builds of this
// command instead, which compute each case in turns, round by round:
//
//	git worktree add /tmp/old COMMIT && (cd /tmp/old && go build -o /tmp/bench-old ./tools/bench)
//	go build -o /tmp/bench-new ./tools/bench
//	go run ./tools/bench compare -run -only 'cpu/matmul' /tmp/bench-old /tmp/bench-new
//
// What may have changed, by the middle of its ratios, is measured once more from the
// start, twice as long, and that decides. The flags:
//
//	-run          OLD and NEW are builds of this command, which are measured in turns
//	-one          with -run: one thread of the CPU, by its clock, which other work on the
//	              machine does not add to
//	-device LIST  with -run: the devices (cpu)
//	-only REGEXP  with -run: the cases
//	-repeat N     with -run: passes (5)
//	-json FILE    with -run: write what was measured
//	-least X      the least change that counts, as a part of the time (0.05)
//	-alpha P      the probability of any accidental finding (0.05)
//
// # The CPU against other libraries
//
// cpu prints tables in markdown to standard output. Its flags:
//
//	-peers        compare with OpenBLAS, gonum and PyTorch
//	-only REGEXP  only the cases whose names match: suite/group/case/threads, such
//	              as product/avx512/1024x1024x1024/NT/2t, mlp/batch32/1t or
//	              memory/exp/2t
//	-repeat N     passes over all cases: 3, or with -quick 1
//	-quick        fewer and shorter rounds; products up to 1024, the first operand
//	              not transposed
//	-python FILE  the Python interpreter that has torch; without it python3 and
//	              /usr/bin/python3 are tried
//	-o FILE       write the tables to a file too
//	-json FILE    write the results, in seconds, with the machine and the versions
//	              of the peers
//
// The exit status is 1 where a case failed, because it gave an error or a wrong
// result; the others are measured all the same. A peer that is not there is named
// in the output with the reason, and its cells are empty.
//
// # Vulkan
//
// vulkan measures one Vulkan device, on the wall: the calls of a batch follow each other
// without waiting, and the wait for the last is part of its time. It has the flags -only,
// -repeat, -quick, -o and -json, and
//
//	-device NAME  this device (vulkan:0)
//
// Products are a.MatMul(b) of float32 and of halves; squares of the memory suite have
// 1 GiB where the device has 16, else 64 MiB, and 4 MiB with -quick.
//
// # Tuning
//
// tune times all kernels of common products (the layers of perceptrons and
// transformers, squares; float32 and halves; all layouts) on each Vulkan device, and
// prints for each class of shapes the fastest, its time and the default's. Programs of
// this user find the record where vk.DefaultCacheDir says; the results of a product are
// the same whichever kernel computes it. The flags:
//
//	-device NAME  only this device, such as vulkan:1
//	-dir DIR      where the records are kept
//	-quick        fewer and smaller products
//
// A record is JSON for one model, driver and build of the kernels. -merge joins records
// of several runs or machines; of two entries that with the larger gain stays.
//
// # What the tables mean
//
// product: c[M, N] = a[M, K]·b[K, N] of float32 by cpu.Device.MatMul, at each SIMD
// level and on one and two threads, against cblas_sgemm of OpenBLAS and
// blas32.Gemm of gonum (up to 1024 cubed). A case is named M×K×N, and N or T for
// each operand: T lies transposed in memory. The share is of the peak: what
// multiply-adds on registers reach on as many threads, measured before and after
// each round.
//
// half: a.MatMul(b) of BF16 and F16, compiled, with B as it is and transposed,
// against torch.mm of the same dtype. The share is of float32's peak.
//
// mlp: a training step of a perceptron 784-512-512-10 with ReLU, cross-entropy and
// Adam, compiled once by tensor.Compile, against the same model in eager PyTorch.
// On two threads it is also compared with itself on one: the speed-up.
//
// memory: kernels over 16 million float32 that cost little more than reading and
// writing memory, as compiled functions of tensors: what the planner makes of
// x.Softmax(1) is what is timed. The memory of a result goes back to the device's
// pool before the next call takes it again, so that no page is touched for the
// first time; PyTorch writes to a tensor that it has (out=). GB/s count what must
// be read and written, once, however many passes an implementation makes. The
// share is of the copy on as many threads, ours or PyTorch's, whichever was faster
// in this run. chain is ten ops on two inputs: one kernel here, ten in PyTorch. Its
// second comparison is with a single addition of ours: 1 where the other nine ops
// cost nothing.
//
// rows: an embedding of 50,000 rows of 256, of which 8,192 are picked: read (Take;
// index_select), their gradients added to a table of zeros (ScatterAdd; zero_ and
// index_add_), and added to the table itself (ScatterAdd to a cell; index_add_).
// For the last GB/s count the picked rows only; an implementation that writes the
// whole table anew shows as slow.
//
// A ratio is the time of the peer to ours: above 1 we are faster. Below a table are
// the geometric mean of each column of ratios and the least one.
//
// # How it is measured
//
// A result is compared with a computation in float64 before anything is timed; one
// that is wrong is reported and not timed. Our own are compared in full, but of a
// product of more than 2^25 multiply-adds elements all over it; of a peer's
// results some elements, to know that it computes the same from the same data.
//
// We and the peers then take turns: a batch of ours of 25 ms, or one call where
// that is longer, a batch of each peer, and again, for a second and at least 3
// rounds. Calls of 15 ms, and at least one, that are not timed come before each
// batch, but where a call takes more than 100 ms: threads that have slept while the
// others had their turn find nothing of theirs in the caches, may wake on one
// processor, and a virtual machine's kernel can take milliseconds to part them.
// Ratios and shares are made within a round, so that other work on the machine and
// a changing clock meet both sides; their median is the result of the pass. A cell is the median over the passes, and the least and the most of them.
//
// One thread is timed by the processor time of its process, where the system
// (Linux) has such a clock, and two on the wall. On a machine with other work to
// do, figures on two threads are those of what was left: a line below the table
// says in how many rows our threads had to wait for a processor.
//
// # The peers
//
// Each peer is a process of its own that computes a batch when it is told to, times
// it itself, and waits for its input in between. Its environment has the
// following, of which all but OPENBLAS_CORETYPE gives way to what is set already.
//
//   - OPENBLAS_CORETYPE names the kernels that OpenBLAS shall use: SKYLAKEX beside
//     our level avx512, HASWELL beside avx2. It is read when the library is loaded,
//     so that each level has a process. PyTorch gets that of our best level.
//   - OMP_WAIT_POLICY=passive. Otherwise the threads of OpenMP spin for some 10 ms
//     after a parallel loop, and so into our batches, whose figures on two threads
//     would suffer. Where the machine has other work, a peer's own threads also
//     spin instead of letting each other run: on two busy cores a training step of
//     PyTorch took 2 to 40 times as long as with passive. On an idle machine
//     spinning is somewhat faster for short loops: OMP_WAIT_POLICY=active in the
//     environment shows it.
//   - OMP_NUM_THREADS and OPENBLAS_NUM_THREADS: the most threads of any case. A
//     case sets its own number (openblas_set_num_threads, torch.set_num_threads,
//     GOMAXPROCS for gonum).
//   - LD_LIBRARY_PATH: Debian's OpenBLAS for OpenMP, where there is one, so that
//     PyTorch and its BLAS share a pool of threads.
//   - MALLOC_MMAP_MAX_=0 and MALLOC_TRIM_THRESHOLD_, so that PyTorch's temporaries
//     are in memory that the process has, and not in new pages each time.
//
// OpenBLAS is opened by dlopen: Debian's build for OpenMP, else what the loader
// finds. That needs cgo and the build tag openblas. On Debian the peers are the
// packages libopenblas0-openmp and python3-torch.
package main
