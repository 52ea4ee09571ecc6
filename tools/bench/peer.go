package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

// A request is a line that a peer's process reads, and a reply the line that it
// answers with. The first line that it writes is a reply with About, or with
// Err where it cannot work.
type request struct {
	Do      string `json:"do"`             // open, run, at or close
	Case    string `json:"case,omitempty"` // open: what to compute
	Dims    []int  `json:"dims,omitempty"` // open: its sizes
	Threads int    `json:"threads,omitempty"`
	N       int    `json:"n,omitempty"`  // run: calls
	At      []int  `json:"at,omitempty"` // at: elements of the first result
}

type reply struct {
	Err    string    `json:"err,omitempty"`
	About  string    `json:"about,omitempty"`
	Values []float32 `json:"values,omitempty"`
	span
}

// A peer is another library in a process of its own, which computes when it is
// told to and waits in between.
type peer struct {
	name  string
	about string // versions
	in    io.WriteCloser
	out   *bufio.Reader
	wait  func() error
	kill  func()
	err   error // once the process has failed
}

// startPeer runs a command. defaults are what the environment has where it says
// nothing else, forced what it has in any case.
func startPeer(ctx context.Context, name string, defaults, forced, command []string) (*peer, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = slices.Concat(defaults, os.Environ(), forced) // the last one holds
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := newPeer(name, in, out)
	p.wait, p.kill = cmd.Wait, func() { cmd.Process.Kill() }
	if err := p.hello(); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func newPeer(name string, in io.WriteCloser, out io.Reader) *peer {
	return &peer{name: name, in: in, out: bufio.NewReader(out), wait: func() error { return nil }, kill: func() {}}
}

// hello reads the first line.
func (p *peer) hello() error {
	r, err := p.read()
	p.about = r.About
	return err
}

func (p *peer) read() (reply, error) {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the process ended")
		}
		p.err = fmt.Errorf("%s: %w", p.name, err)
		return reply{}, p.err
	}
	var r reply
	if err := json.Unmarshal(line, &r); err != nil {
		p.err = fmt.Errorf("%s: answered %.200q: %w", p.name, line, err)
		return reply{}, p.err
	}
	if r.Err != "" {
		return r, fmt.Errorf("%s: %s", p.name, r.Err)
	}
	return r, nil
}

func (p *peer) do(q request) (reply, error) {
	if p.err != nil {
		return reply{}, p.err
	}
	line, err := json.Marshal(q)
	if err != nil {
		return reply{}, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		p.err = fmt.Errorf("%s: %w", p.name, err)
		return reply{}, p.err
	}
	return p.read()
}

// open prepares a case. One case is open at a time.
func (p *peer) open(name string, threads int, dims ...int) (contender, error) {
	if _, err := p.do(request{Do: "open", Case: name, Dims: dims, Threads: threads}); err != nil {
		return nil, err
	}
	return peerCase{p}, nil
}

// stop ends the process.
func (p *peer) stop() {
	p.in.Close()
	timer := time.AfterFunc(5*time.Second, p.kill)
	defer timer.Stop()
	p.wait()
}

// A peerCase is the case that a peer has open.
type peerCase struct{ p *peer }

func (c peerCase) run(n int) (span, error) {
	r, err := c.p.do(request{Do: "run", N: n})
	return r.span, err
}

func (c peerCase) at(elements []int) ([]float32, error) {
	r, err := c.p.do(request{Do: "at", At: elements})
	return r.Values, err
}

func (c peerCase) close() {
	// A failure shows at the next open.
	_, _ = c.p.do(request{Do: "close"})
}
