package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// app is one call of the command.
type app struct {
	stdout, stderr io.Writer

	dir, out             string
	include, only        []string
	compiler, val        string
	jobs                 int
	force, quiet, chatty bool
	doCheck, doVerify    bool
	doList, doClean      bool
	dumpName, disName    string
	disassembler         string
	spec                 map[uint32]uint32 // of -dump
}

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// run is main without the process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr}
	switch err := a.parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, helpText)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "shaderc: %v\nshaderc -h tells how it is used.\n", err)
		return exitUsage
	}
	if err := a.do(ctx); err != nil {
		printErr(stderr, err)
		return exitFailed
	}
	return exitOK
}

func (a *app) parse(args []string) error {
	fs := flag.NewFlagSet("shaderc", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	list := func(to *[]string) func(string) error {
		return func(s string) error {
			*to = append(*to, s)
			return nil
		}
	}
	fs.Func("I", "", list(&a.include))
	fs.Func("only", "", func(s string) error {
		for _, pat := range strings.Split(s, ",") {
			if _, err := path.Match(pat, ""); err != nil {
				return err
			}
			a.only = append(a.only, pat)
		}
		return nil
	})
	fs.StringVar(&a.out, "out", "", "")
	fs.StringVar(&a.compiler, "compiler", "", "")
	fs.StringVar(&a.val, "val", "", "")
	fs.IntVar(&a.jobs, "j", runtime.NumCPU(), "")
	fs.BoolVar(&a.force, "force", false, "")
	fs.BoolVar(&a.quiet, "q", false, "")
	fs.BoolVar(&a.chatty, "v", false, "")
	fs.BoolVar(&a.doCheck, "check", false, "")
	fs.BoolVar(&a.doVerify, "verify", false, "")
	fs.BoolVar(&a.doList, "list", false, "")
	fs.BoolVar(&a.doClean, "clean", false, "")
	fs.StringVar(&a.dumpName, "dump", "", "")
	fs.StringVar(&a.disName, "dis", "", "")
	fs.StringVar(&a.disassembler, "disassembler", "", "")
	fs.Func("spec", "", a.setSpec)
	if err := fs.Parse(args); err != nil {
		return err
	}
	modes := 0
	for _, on := range []bool{a.doCheck, a.doVerify, a.doList, a.doClean, a.dumpName != "", a.disName != ""} {
		if on {
			modes++
		}
	}
	switch {
	case fs.NArg() != 1:
		return fmt.Errorf("want one DIR, got %q", fs.Args())
	case modes > 1:
		return errors.New("-check, -verify, -list, -clean, -dump and -dis exclude each other")
	case a.jobs < 1:
		return errors.New("-j wants a positive number")
	}
	a.dir = filepath.Clean(fs.Arg(0))
	if a.out == "" {
		a.out = filepath.Join(a.dir, "spv")
	}
	return nil
}

// setSpec reads the values of specialization constants: "0=64,3=8".
func (a *app) setSpec(text string) error {
	if a.spec == nil {
		a.spec = map[uint32]uint32{}
	}
	for _, part := range strings.Split(text, ",") {
		id, value, ok := strings.Cut(part, "=")
		k, err := strconv.ParseUint(id, 10, 32)
		v, verr := strconv.ParseUint(value, 0, 32)
		if !ok || err != nil || verr != nil {
			return fmt.Errorf("want ID=NUMBER, got %q", part)
		}
		a.spec[uint32(k)] = uint32(v)
	}
	return nil
}

func (a *app) do(ctx context.Context) error {
	p, err := openProject(a.dir, a.out, a.include, a.only)
	if p == nil {
		return err
	}
	switch {
	case a.doCheck:
		return a.check(p, err)
	case a.doVerify:
		return a.verify(ctx, p, err)
	case a.doList:
		return a.list(p)
	case a.doClean:
		return a.clean(p, err)
	case a.dumpName != "":
		return a.dump(p, a.dumpName)
	case a.disName != "":
		return a.disassemble(ctx, p, a.disName)
	}
	if err == nil && len(p.units) == 0 && len(a.only) > 0 {
		return fmt.Errorf("%s: no module is named %s", filepath.ToSlash(a.dir), strings.Join(a.only, " or "))
	}
	return a.build(ctx, p, err)
}

// tools finds compiler and validator for a build.
func (a *app) tools() (*compiler, *validator, error) {
	c, err := findCompiler(a.compiler)
	if err != nil {
		return nil, nil, err
	}
	v, err := findValidator(a.val)
	if err != nil && a.val == "" {
		fmt.Fprintln(a.stderr, "shaderc: no spirv-val found (Debian: spirv-tools): modules are not validated")
		err = nil
	}
	a.verbose("compiler: %s", c)
	return c, v, err
}

// compilers finds all compilers that -verify may use.
func (a *app) compilers() ([]*compiler, error) {
	if a.compiler != "" {
		c, err := findCompiler(a.compiler)
		return []*compiler{c}, err
	}
	var out []*compiler
	for _, name := range []string{nameGlslc, nameGlslang} {
		if c, err := probe(name); err == nil {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		_, err := findCompiler("")
		return nil, err
	}
	return out, nil
}

// say prints progress on standard output, unless -q.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stdout, format+"\n", args...)
	}
}

// verbose prints details on standard error, with -v.
func (a *app) verbose(format string, args ...any) {
	if a.chatty {
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}
