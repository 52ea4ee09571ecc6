package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// An engine is a peer that is a library for Go or C, served by this program in a
// process of its own.
type engine struct {
	about string
	open  func(name string, threads int, dims []int) (contender, error)
}

// engines are the peers that this program can serve. Each says what it is when
// it is started.
var engines = map[string]func() (engine, error){
	"gonum":    gonumEngine,
	"openblas": openblasEngine,
}

// servePeer obeys requests until there are no more.
func servePeer(start func() (engine, error), in io.Reader, out io.Writer) error {
	answer := json.NewEncoder(out)
	e, err := start()
	if err != nil {
		return answer.Encode(reply{Err: err.Error()})
	}
	if err := answer.Encode(reply{About: e.about}); err != nil {
		return err
	}
	var c contender
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil
		}
		var q request
		var r reply
		if err = json.Unmarshal(line, &q); err == nil {
			r, err = e.obey(q, &c)
		}
		if err != nil {
			r = reply{Err: err.Error()}
		}
		if err := answer.Encode(r); err != nil {
			return err
		}
	}
}

// obey carries out one request on the open case.
func (e engine) obey(q request, c *contender) (r reply, err error) {
	if *c == nil && (q.Do == "run" || q.Do == "at") {
		return reply{}, errors.New("no case is open")
	}
	switch q.Do {
	case "open":
		*c, err = e.open(q.Case, q.Threads, q.Dims)
	case "run":
		r.span, err = (*c).run(q.N)
	case "at":
		r.Values, err = (*c).at(q.At)
	case "close":
		if *c != nil {
			(*c).close()
		}
		*c = nil
	default:
		err = fmt.Errorf("no request %q", q.Do)
	}
	return r, err
}
