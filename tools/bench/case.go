package main

import (
	"cmp"
	"fmt"
)

// A benchCase is a row of a table.
type benchCase struct {
	suite   string
	group   string // of a table within the suite, such as a SIMD level; may be ""
	name    string
	threads int     // of the CPU; 0 on a GPU
	work    float64 // units of a call
	device  string  // where there are several; "" with commands that measure one
	// op and size are what the report draws curves of: the cases of one op differ in size.
	op           string
	size         float64
	flops, bytes float64 // of a call; 0 where it has no meaning
	// open prepares the case: memory, data, programs, peers.
	open func() (*entry, error)
	// clocked, where it is not nil, opens the case so that spans have the device's time.
	clocked func() (*entry, error)
}

// series names the cases that differ in size only.
func (c benchCase) series() string { return c.device + "/" + c.suite + "/" + c.group + "/" + c.op }

// id is what -only is matched with.
func (c benchCase) id() string {
	id := c.suite + "/"
	if c.device != "" {
		id = c.device + "/" + id
	}
	if c.group != "" {
		id += c.group + "/"
	}
	if c.threads == 0 {
		return id + c.name
	}
	return fmt.Sprintf("%s%s/%dt", id, c.name, c.threads)
}

// An entry is a case that is ready to be run. We are contenders[0]; the others
// are those of rivals, in order.
type entry struct {
	ours      contender
	reference reference
	rivals    []rival
	yardstick func() float64
}

// A rival is what we are compared with: a peer, or ourselves done otherwise.
type rival struct {
	name  string
	ratio string // what the column of its ratio is called
	contender
	// reference is that of the rival, where it does something else than we do.
	reference *reference
	err       error // why it is missing
}

// against opens the case of a peer.
func (l *lab) against(name, peerName, level, request string, threads int, dims ...int) rival {
	r := rival{name: name, ratio: "ratio"}
	p, err := l.peer(peerName, level)
	if err == nil {
		r.contender, err = p.open(request, cmp.Or(threads, l.width, mostThreads()), dims...)
	}
	r.err = err
	return r
}

func (e *entry) close() {
	e.ours.close()
	for _, r := range e.rivals {
		if r.contender != nil {
			r.close()
		}
	}
}
