package main

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tools/bench/internal/record"
	"github.com/fornax-ml/fornax/vk"
)

// A subject is a device that is measured.
type subject struct {
	record.Device
	info   *ir.Info
	ir     ir.Device
	tensor *tensor.Device
	// opens opens the device again, so that it takes times by its clock; nil where there
	// is no such clock.
	opens func() (*subject, error)
	clock func() time.Duration // that kernels took since the device was opened
	twin  *subject             // the device opened again
}

func newSubject(id string, d ir.Device) *subject {
	info := d.Info()
	s := &subject{
		Device: record.Device{
			ID: id, Kind: info.Backend, Model: info.Model, Vendor: info.Vendor, Driver: strings.TrimSpace(info.Driver),
			Software: info.Software, Memory: info.Limits.MemoryBytes,
		},
		info: info, ir: d, tensor: tensor.New(d),
	}
	if r, ok := d.(ir.Reporter); ok {
		s.Lanes = subgroup(r.Report())
	}
	return s
}

// subgroup is how many invocations of a Vulkan device make a step together, as its report
// says; 0 where it says nothing.
func subgroup(facts []ir.Fact) int {
	for _, f := range facts {
		if f.Topic == "subgroup" && f.Name == "Size" {
			n, _ := strconv.Atoi(f.Value)
			return max(n, 0)
		}
	}
	return 0
}

// close closes the device, and once more where it was opened twice.
func (s *subject) close() {
	if s.twin != nil {
		s.twin.close()
	}
	s.tensor.Close()
}

// clocked returns the device opened so that it takes times.
func (s *subject) clocked() (*subject, error) {
	if s.twin == nil {
		t, err := s.opens()
		if err != nil {
			return nil, err
		}
		s.twin = t
	}
	return s.twin, nil
}

// openCPU opens the processor at a SIMD level.
func openCPU(level string) *subject {
	id := "cpu"
	if level != "" {
		id += "/" + level
	}
	s := newSubject(id, cpu.New(cpu.Options{Level: level}))
	s.Cores = runtime.GOMAXPROCS(0)
	words := strings.Fields(s.Driver)
	s.Lanes = levelLanes[words[len(words)-1]]
	return s
}

// levelLanes are the float32 numbers of a vector of each SIMD level.
var levelLanes = map[string]int{"avx512bf16": 16, "avx512": 16, "avx2": 8, "neon": 4, "portable": 1}

// openVulkan opens a Vulkan device.
func openVulkan(i int, id string) (*subject, error) {
	open := func(profile bool) (*vk.Device, *subject, error) {
		d, err := vk.Open(i, vk.Options{CacheDir: vk.DefaultCacheDir(), Profile: profile})
		if err != nil {
			return nil, nil, err
		}
		return d, newSubject(id, d), nil
	}
	_, s, err := open(false)
	if err != nil {
		return nil, err
	}
	s.opens = func() (*subject, error) {
		d, twin, err := open(true)
		if err == nil {
			twin.clock = func() (sum time.Duration) {
				for _, t := range d.Profile() {
					sum += t.Total
				}
				return sum
			}
		}
		return twin, err
	}
	return s, nil
}

// A place is a device that can be opened.
type place struct {
	id   string
	open func() (*subject, error)
}

// places returns the devices that are there, or those of the list: backends, names,
// or "cpu/LEVEL". missing says why a backend has none.
func places(list string, levels bool) (all []place, missing map[string]string, err error) {
	missing = map[string]string{}
	host := func(level string) place {
		id := "cpu"
		if level != "" {
			id += "/" + level
		}
		return place{id, func() (*subject, error) { return openCPU(level), nil }}
	}
	all = append(all, host(""))
	known := cpu.Levels()
	if levels {
		for _, level := range known[1:] {
			all = append(all, host(level))
		}
	}
	infos, reason := vulkanDevices()
	if reason == nil && len(infos) == 0 {
		reason = errors.New("no devices")
	}
	if reason != nil {
		missing["vulkan"] = reason.Error()
	}
	for i, info := range infos {
		all = append(all, place{info.Name, func() (*subject, error) { return openVulkan(i, info.Name) }})
	}
	if list == "" {
		return all, missing, nil
	}
	var chosen []place
	for name := range strings.SplitSeq(list, ",") {
		n := len(chosen)
		if level, ok := strings.CutPrefix(name, "cpu/"); ok && slices.Contains(known, level) {
			chosen = append(chosen, host(level))
		} else {
			for _, p := range all {
				if p.id == name || strings.HasPrefix(p.id, name+":") || name == "cpu" && strings.HasPrefix(p.id, "cpu/") {
					chosen = append(chosen, p)
				}
			}
		}
		if len(chosen) == n {
			return nil, nil, &usageError{fmt.Errorf("no device %q; there are: %s%s", name, names(all), because(missing))}
		}
	}
	return chosen, missing, nil
}

func names(l []place) string {
	var s []string
	for _, p := range l {
		s = append(s, p.id)
	}
	return strings.Join(s, ", ")
}

func because(missing map[string]string) string {
	s := ""
	for _, k := range sortedKeys(missing) {
		s += "; " + k + ": " + missing[k]
	}
	return s
}

// A clocked contender is one on a device that takes times.
type clocked struct {
	contender
	s *subject
}

func (c clocked) run(n int) (span, error) {
	before := c.s.clock()
	s, err := c.contender.run(n)
	s.Device = (c.s.clock() - before).Seconds()
	return s, err
}

// on makes a case one of a device: its memory and programs are there, and what it is
// compared with are libraries of the processor, if it is that.
func (l *lab) on(s *subject, c benchCase) benchCase {
	open := c.open
	c.device = s.ID
	c.open = func() (*entry, error) { return l.openOn(s, open) }
	if s.opens != nil {
		c.clocked = func() (*entry, error) {
			twin, err := s.clocked()
			if err != nil {
				return nil, err
			}
			e, err := l.openOn(twin, open)
			if err == nil {
				e.ours = clocked{e.ours, twin}
			}
			return e, err
		}
	}
	return c
}

// openOn opens a case on a device.
func (l *lab) openOn(s *subject, open func() (*entry, error)) (*entry, error) {
	l.subject = s
	defer func() { l.subject = nil }()
	e, err := open()
	if err != nil {
		return nil, err
	}
	e.yardstick = nil // the commands for one device have it
	if e.reference.n > mostElements && e.reference.elements == nil {
		e.reference.elements = spread(e.reference.n, mostElements/32)
	}
	if !l.usePeers || s.ID != "cpu" {
		e.rivals = slices.DeleteFunc(e.rivals, func(r rival) bool { return r.contender == nil })
	}
	return e, nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
