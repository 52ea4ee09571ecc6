package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// app is one call of the command.
type app struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
}

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// A usageError is a mistake in the arguments.
type usageError struct{ error }

const usage = `usage: go run ./tools/bench [flags]
       go run ./tools/bench merge [flags] JSON...
       go run ./tools/bench compare [flags] OLD NEW
       go run ./tools/bench readme [-file README.md] JSON...
       go run ./tools/bench cpu [flags]
       go run ./tools/bench vulkan [flags]
       go run ./tools/bench tune [flags]
       go run ./tools/bench tune -merge OUT RECORD...

Without a command it measures every device, prints a table, and writes a record and a
report.

  -full         all sizes, to what memory allows, and longer; else a quick set
  -device LIST  only these, with commas: cpu, cpu/avx2, vulkan, vulkan:1
  -levels       the CPU at each SIMD level
  -peers        compare the CPU with OpenBLAS, gonum and PyTorch too
  -python FILE  as with cpu
  -only REGEXP  only the cases whose names match, such as vulkan:0/matmul or /exp/
  -repeat N     passes over all cases (1; with -full 3)
  -json FILE    the record (bench.json); "" for none
  -html FILE    the report (bench.html); "" for none
  -o FILE       write the table to a file too

merge joins records, of other machines too, to one record and one report.

  -json FILE    (merged.json)
  -html FILE    (merged.html)

compare shows which cases got slower from one record to another, each of which may be
several with commas between them. Its exit status is 1 where some did.

  -run          OLD and NEW are builds of this command, which are measured in turns
  -one          with -run: one thread of the CPU, by its clock, which other work on the
                machine does not add to
  -device LIST  with -run: the devices (cpu)
  -only REGEXP  with -run: the cases
  -repeat N     with -run: passes (5)
  -json FILE    with -run: write what was measured
  -least X      the least change that counts, as a part of the time (0.05)
  -alpha P      the probability of any accidental finding (0.05)

readme writes the table of measured figures into a file, between its two lines.

  -file FILE    (README.md)

cpu measures the CPU device and writes tables in markdown to standard output.

  -peers        compare with OpenBLAS (needs -tags openblas and cgo), gonum and
                PyTorch, each in a process of its own, in turns with us
  -only REGEXP  only the cases whose names match, such as product/avx2/.*/2t, mlp
                or memory/exp
  -repeat N     passes over all cases (3; with -quick 1)
  -quick        shorter, with fewer sizes of products
  -python FILE  the Python interpreter that has torch (python3, /usr/bin/python3)
  -o FILE       write the tables to a file too
  -json FILE    write the results as JSON

vulkan measures a Vulkan device: products, kernels bound by memory, training steps. It
has the flags -only, -repeat, -quick, -o and -json of cpu, and

  -device NAME  this device (vulkan:0)

tune times the kernels of common products on each Vulkan device and keeps the fastest
for all programs of this user; -merge joins the records of several runs or machines.

  -device NAME  only this device, such as vulkan:1
  -dir DIR      where the records are kept
  -quick        fewer and smaller products

For all peers: go run -tags openblas ./tools/bench cpu -peers
go doc ./tools/bench says what the tables mean.
`

// run is main without the process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr}
	err := a.command(args)
	var wrong *usageError
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "bench: %v\n\n%s", err, usage)
		return exitUsage
	case err != nil:
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	}
	return exitOK
}

func (a *app) command(args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") && !slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
		return a.runAll(args)
	}
	switch name, rest := args[0], args[1:]; name {
	case "cpu":
		return a.runCPU(rest)
	case "vulkan":
		return a.runVulkan(rest)
	case "tune":
		return a.runTune(rest)
	case "merge":
		return a.runMerge(rest)
	case "compare":
		return a.runCompare(rest)
	case "readme":
		return a.runReadme(rest)
	case "peer": // how the program starts itself
		if len(rest) == 2 && rest[0] == "cases" {
			return servePeer(func() (engine, error) { return casesEngine(a.ctx, rest[1]) }, a.stdin, a.stdout)
		}
		if len(rest) != 1 || engines[rest[0]] == nil {
			return &usageError{fmt.Errorf("no peer %q", rest)}
		}
		return servePeer(engines[rest[0]], a.stdin, a.stdout)
	case "-h", "-help", "--help", "help":
		return flag.ErrHelp
	default:
		return &usageError{fmt.Errorf("no command %q", name)}
	}
}
