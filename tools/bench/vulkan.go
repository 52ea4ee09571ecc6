package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
)

// runVulkan is the subcommand vulkan.
func (a *app) runVulkan(args []string) error {
	l := newLab(a.ctx)
	defer l.close()
	fs := flag.NewFlagSet("vulkan", flag.ContinueOnError)
	name := fs.String("device", "vulkan:0", "")
	o, err := parseFlags(fs, args, l)
	if err != nil {
		return err
	}
	infos, err := vulkanDevices()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(infos, func(info ir.Info) bool { return info.Name == *name })
	if i < 0 {
		return fmt.Errorf("no device %q", *name)
	}
	s, err := openVulkan(i, *name)
	if err != nil {
		return err
	}
	defer s.close()
	cases := slices.DeleteFunc(vulkanCases(l, s), func(c benchCase) bool { return !o.only.MatchString(c.id()) })
	if len(cases) == 0 {
		return &usageError{fmt.Errorf("no case matches %q", o.only)}
	}
	results := a.measure(l, cases, o.passes, l.plan())
	h := newHeader(l, o.passes)
	h.Device = fmt.Sprintf("%s, %s", s.Model, s.Driver)
	return errors.Join(a.report(o, h, results), a.ctx.Err())
}

// mostElements is how many elements of a result are compared with float64; of a larger
// one some all over it are.
const mostElements = 1 << 25

// vulkanCases are the cases of all suites on a device. Its time is the wall's, the
// calls of a batch follow each other without waiting, and the wait for the last counts.
func vulkanCases(l *lab, s *subject) []benchCase {
	info := s.info
	var cases []benchCase
	add := func(suite, group, name string, work float64, open func() (*entry, error)) {
		cases = append(cases, benchCase{suite: suite, group: group, name: name, work: work, open: func() (*entry, error) { return l.openOn(s, open) }})
	}
	squares, side := []int{256, 512, 1024, 2048, 4096}, 16384
	if info.Software || l.quick {
		squares = squares[:3]
	}
	if info.Software || info.Limits.MemoryBytes>>30 < 16 || info.Limits.BufferBytes < 4*side*side {
		side = 4096
	}
	if l.quick {
		side = 1024
	}
	for _, d := range append([]productDType{{tensor.F32, 0}}, halfDTypes...) {
		for _, n := range squares {
			for t := range 2 {
				p := product{n, n, n, false, t == 1}
				add(halfSuite, d.String(), p.String(), p.flops(), func() (*entry, error) { return l.openHalf(d, p, 0) })
			}
		}
	}
	for _, b := range []int{32, 128, 1024} {
		m := mlp{b, []int{784, 512, 512, 10}}
		add(mlpSuite, "", m.String(), 1, func() (*entry, error) { return l.openMLP(m, 0) })
	}
	for _, op := range memoryOps {
		add(memorySuite, fmt.Sprintf("%d×%d", side, side), op.name, 4*float64(op.moves)*float64(side)*float64(side),
			func() (*entry, error) { return l.openMemory(op, side, side, 0) })
	}
	for _, op := range rowsOps {
		add(rowsSuite, "", op.name, float64(op.bytes(50_000, 256, 8192)),
			func() (*entry, error) { return l.openRows(op.name, 50_000, 256, 8192, 0) })
	}
	return cases
}
