package main

import "fmt"

// A benchCase is a row of a table.
type benchCase struct {
	suite   string
	group   string // of a table within the suite, such as a SIMD level; may be ""
	name    string
	threads int     // of the CPU; 0 on a GPU
	work    float64 // units of a call
	// open prepares the case: memory, data, programs, peers.
	open func() (*entry, error)
}

// id is what -only is matched with.
func (c benchCase) id() string {
	id := c.suite + "/"
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
		r.contender, err = p.open(request, threads, dims...)
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
