package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// TestMain lets the test binary stand for a peer's process.
func TestMain(m *testing.M) {
	if kind := os.Getenv("BENCH_FAKE_PEER"); kind != "" {
		fakePeer(kind)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fakePeer answers as torch.py would.
func fakePeer(kind string) {
	if kind == "mute" {
		return
	}
	if kind == "absent" {
		fmt.Println(`{"err": "no torch: it is not there"}`)
		return
	}
	fmt.Printf("{\"about\": \"fake, %s %s\"}\n", os.Getenv("OMP_WAIT_POLICY"), os.Getenv("OPENBLAS_CORETYPE"))
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var q request
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return
		}
		switch {
		case kind == "crash" && q.Do == "run":
			return
		case kind == "garbage" && q.Do == "run":
			fmt.Println("Traceback")
		case q.Do == "open" && q.Case == "unknown":
			fmt.Println(`{"err": "KeyError"}`)
		case q.Do == "run":
			fmt.Printf("{\"wall\": %d, \"cpu\": %d}\n", q.N, 2*q.N)
		case q.Do == "at":
			fmt.Println(`{"values": [0.5, 1.5]}`)
		default:
			fmt.Println(`{}`)
		}
	}
}

func fake(t *testing.T, kind string) (*peer, error) {
	self, err := os.Executable()
	require.NoError(t, err)
	defaults, forced := peerEnv("avx2", 2)
	p, err := startPeer(t.Context(), "torch", defaults, append(forced, "BENCH_FAKE_PEER="+kind), []string{self})
	if p != nil {
		t.Cleanup(p.stop)
	}
	return p, err
}

func TestPeerProtocol(t *testing.T) {
	t.Setenv("OPENBLAS_CORETYPE", "PRESCOTT")
	p, err := fake(t, "good")
	require.NoError(t, err)
	require.Equal(t, "fake, passive HASWELL", p.about)
	_, err = p.open("unknown", 1)
	require.EqualError(t, err, "torch: KeyError")
	c, err := p.open("memory/exp", 2, 4, 4)
	require.NoError(t, err, "a failed request does not end the peer")
	s, err := c.run(3)
	require.NoError(t, err)
	require.Equal(t, span{Wall: 3, CPU: 6}, s)
	v, err := c.at([]int{0, 1})
	require.NoError(t, err)
	require.Equal(t, []float32{0.5, 1.5}, v)
	c.close()
}

func TestPeerFailures(t *testing.T) {
	_, err := fake(t, "absent")
	require.EqualError(t, err, "torch: no torch: it is not there")
	_, err = fake(t, "mute")
	require.EqualError(t, err, "torch: the process ended")
	for kind, want := range map[string]string{"crash": "torch: the process ended", "garbage": "torch: answered"} {
		p, err := fake(t, kind)
		require.NoError(t, err)
		c, err := p.open("mlp", 1)
		require.NoError(t, err)
		_, err = c.run(1)
		require.ErrorContains(t, err, want)
		_, err = p.open("mlp", 1)
		require.ErrorContains(t, err, want, "nothing more is asked of it")
	}
	_, err = startPeer(context.Background(), "x", nil, nil, []string{filepath.Join(t.TempDir(), "nothing")})
	require.Error(t, err)
}

// serve connects a peer to an engine in this process.
func serve(t *testing.T, start func() (engine, error)) (*peer, error) {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	go func() {
		outW.CloseWithError(servePeer(start, inR, outW))
	}()
	t.Cleanup(func() { inW.Close() })
	p := newPeer("engine", inW, outR)
	return p, p.hello()
}

func TestServeGonum(t *testing.T) {
	width := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(width)
	p, err := serve(t, gonumEngine)
	require.NoError(t, err)
	require.Contains(t, p.about, "gonum")
	_, err = peerCase{p}.run(1)
	require.ErrorContains(t, err, "no case is open")
	_, err = p.do(request{Do: "dance"})
	require.ErrorContains(t, err, "no request")
	_, err = p.open("product", 1, 1, 2)
	require.ErrorContains(t, err, "sizes")
	_, err = p.open("mlp", 1)
	require.ErrorContains(t, err, "only products")
	checkProducts(t, p)
}

func TestServeOpenBLAS(t *testing.T) {
	p, err := serve(t, openblasEngine)
	if err != nil {
		t.Skip(err)
	}
	require.Contains(t, p.about, "OpenBLAS")
	checkProducts(t, p)
}

// checkProducts compares a peer's products of each kind with the reference.
func checkProducts(t *testing.T, p *peer) {
	t.Helper()
	for k := range 4 {
		for threads := 1; threads <= 2; threads++ {
			q := product{33, 65, 17, k&1 != 0, k&2 != 0}
			c, err := p.open("product", threads, q.dims()...)
			require.NoError(t, err)
			a, b, _ := q.operands()
			require.NoError(t, q.reference(a, b).check(c, true), "%v", q)
			s, err := c.run(2)
			require.NoError(t, err)
			require.Positive(t, s.Wall)
			_, err = c.at([]int{33 * 17})
			require.ErrorContains(t, err, "no element")
			c.close()
		}
	}
}

// The real script computes what the references say.
func TestTorch(t *testing.T) {
	defaults, forced := peerEnv(levels()[0], mostThreads())
	p, err := startTorch(t.Context(), "", defaults, forced)
	if err != nil {
		t.Skip("no torch: ", err)
	}
	t.Cleanup(p.stop)
	l := newLab(t.Context())
	l.usePeers = true
	l.peers["torch/"+levels()[0]] = startedPeer{peer: p}
	for _, c := range tinyCases(l) {
		if c.suite == productSuite {
			continue
		}
		e, err := c.open()
		require.NoError(t, err, c.id())
		require.Equal(t, "torch", e.rivals[0].name)
		require.NoError(t, e.rivals[0].err, c.id())
		require.NoError(t, e.checkRival(e.rivals[0]), c.id())
		e.close()
	}
	_, err = p.open("memory/nothing", 1, 2, 2)
	require.ErrorContains(t, err, "KeyError")
}

func TestStartTorchMissing(t *testing.T) {
	_, err := startTorch(t.Context(), "no-such-python", nil, nil)
	require.ErrorContains(t, err, "no-such-python")
}

// torch.py has hash once more: its numbers must stay the same.
func TestFill(t *testing.T) {
	require.Equal(t, []uint32{3333689995, 2776899489, 3856978111}, []uint32{hash(0, 1), hash(1, 1), hash(1<<24-1, 3)})
	s := record.StatOf(widen(fill(1000, 1, 8)))
	require.Less(t, s.Max, 4.0)
	require.GreaterOrEqual(t, s.Min, -4.0)
	require.InDelta(t, 0, s.Median, 0.5)
	for _, i := range picks(1000, 3, 7) {
		require.True(t, 0 <= i && i < 7)
	}
}
