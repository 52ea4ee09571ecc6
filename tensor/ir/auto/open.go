package auto

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Options configures a device; the zero value is the usual one.
type Options struct {
	// CacheDir is where the costs of devices are kept; empty: nowhere, so that each
	// device calibrates anew. See [DefaultCacheDir].
	CacheDir string
	// Budget is how long the members are calibrated together where no record of them
	// is there; 0 is 1.5 s.
	Budget time.Duration
	// Pin is the name of the member that runs all programs, as [Device.Pin] has it.
	Pin string
	// Explain is told of each program, once it has run a few times, what it was expected
	// to take on each member, what it took, and where it runs; nil: nobody.
	Explain io.Writer
	// Choose, for tests, returns the member that runs a program, where that one can.
	Choose func(p *ir.Program) int
	// Now, for tests, is the clock.
	Now func() time.Time
}

// mostMembers is how many members a device may have.
const mostMembers = 16

// New makes a device of others, at least one, best the CPU first: what the host writes
// goes there until a program elsewhere needs it. The members are the device's from now
// on, and closed with it; they are not closed where New fails.
func New(members []ir.Device, o Options) (*Device, error) {
	d := newDevice(o)
	for _, dev := range members {
		if err := d.add(dev, len(members)); err != nil {
			return nil, err
		}
	}
	return d, d.ready()
}

func newDevice(o Options) *Device {
	d := &Device{opts: o, now: o.Now, twice: map[*buffer]bool{}, hints: map[int]int{}}
	if d.now == nil {
		d.now = time.Now
	}
	if d.opts.Budget <= 0 {
		d.opts.Budget = 1500 * time.Millisecond
	}
	d.budget = d.opts.Budget
	d.pinned.Store(-1)
	return d
}

// add makes a device a member, one of so many that share the time to calibrate. The
// first ones leave what they do not need to the rest.
func (d *Device) add(dev ir.Device, of int) error {
	m := &member{d: d, index: len(d.members), dev: dev, info: dev.Info()}
	if m.index == mostMembers {
		return fmt.Errorf("auto: more than %d members", mostMembers)
	}
	begin := d.now()
	err := m.calibrate(d.budget / time.Duration(max(of-m.index, 1)))
	d.budget = max(d.budget-d.now().Sub(begin), d.opts.Budget/10)
	if err != nil {
		return fmt.Errorf("auto: calibrate %s: %w", m.info.Name, err)
	}
	d.members = append(d.members, m)
	return nil
}

// ready completes a device that has its members.
func (d *Device) ready() error {
	if len(d.members) == 0 {
		return errors.New("auto: no members")
	}
	d.info = describe(d.members)
	return d.Pin(d.opts.Pin)
}

// calibrate gets the member's costs, from the record if there is one. A record that
// lacks something, since the time was up, is completed.
func (m *member) calibrate(budget time.Duration) error {
	dir := m.d.opts.CacheDir
	var r record
	if dir != "" {
		r = readRecord(dir, m.info)
	}
	if r.Costs.Launch == 0 || !r.Costs.complete() && r.Vain < mostVain {
		c, gained, err := calibrate(context.Background(), m.dev, m.d.now, budget, r.Costs)
		if err != nil {
			return err
		}
		if r.Costs, m.measured = c, true; gained == 0 {
			r.Vain++
		}
		if dir != "" {
			_ = writeRecord(dir, m.info, r) // else it is measured again
		}
	}
	m.costs = r.Costs.whole()
	m.compile = m.costs.Compile
	return nil
}

// Environment is what this package and its callers take from the environment, read here
// only: the members of the device "auto" in FORNAX_AUTO, with commas between them; the
// member to pin to in FORNAX_AUTO_PIN; and whether programs are explained on standard
// error, FORNAX_EXPLAIN=1.
func Environment() (members []string, o Options) {
	for _, name := range strings.Split(os.Getenv("FORNAX_AUTO"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			members = append(members, name)
		}
	}
	o = Options{CacheDir: DefaultCacheDir(), Pin: os.Getenv("FORNAX_AUTO_PIN")}
	if os.Getenv("FORNAX_EXPLAIN") == "1" {
		o.Explain = os.Stderr
	}
	return members, o
}

// Members returns the names of the devices that the environment wants, else the CPU's
// and those of all real hardware: drivers that compute on the CPU would only be in its
// way.
func Members() []string {
	if l, _ := Environment(); len(l) > 0 {
		return l
	}
	l := []string{"cpu"}
	for _, b := range ir.Backends() {
		infos, err := b.Devices()
		for _, info := range infos {
			if err == nil && info.Backend != "cpu" && !info.Software {
				l = append(l, info.Name)
			}
		}
	}
	return l
}

// Open makes a device of the devices of these names, such as "cpu" and "vulkan:0". For no
// names it takes those of [Members], and leaves out what does not open where the
// environment did not ask for it; the Report says so.
func Open(names []string, o Options) (*Device, error) {
	strict := len(names) > 0
	if !strict {
		asked, _ := Environment()
		names, strict = Members(), len(asked) > 0
	}
	d := newDevice(o)
	for _, name := range names {
		dev, err := open(name)
		if err == nil {
			if err = d.add(dev, len(names)); err == nil {
				continue
			}
			dev.Close()
		}
		if strict {
			d.Close()
			return nil, err
		}
		d.missing = append(d.missing, ir.Fact{Topic: "members", Name: name, Value: "missing: " + err.Error()})
	}
	if err := d.ready(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func open(name string) (ir.Device, error) {
	err := errors.New("there is no such device")
	for _, b := range ir.Backends() {
		infos, berr := b.Devices()
		if berr != nil {
			if strings.HasPrefix(name, b.Name()+":") || name == b.Name() {
				err = berr
			}
			continue
		}
		i := slices.IndexFunc(infos, func(x ir.Info) bool { return x.Name == name })
		if i < 0 && name == b.Name() && len(infos) > 0 {
			i = 0
		}
		if i >= 0 {
			return b.Open(i)
		}
	}
	return nil, fmt.Errorf("auto: open %s: %w", name, err)
}
