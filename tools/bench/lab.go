package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor"
)

// A lab holds what cases share: devices and peers, each opened when it is first
// needed.
type lab struct {
	ctx      context.Context
	usePeers bool
	python   string // the interpreter that has torch; "" looks for one
	quick    bool
	kernels  map[string]*cpu.Device
	devices  map[int]*tensor.Device
	peers    map[string]startedPeer
	subject  *subject                       // where set, the device of all cases
	losses   map[string]func() mlpReference // by model
	width    int                            // threads of a case with 0; 0: the most of any case
}

type startedPeer struct {
	peer *peer
	err  error
}

var errNoPeers = errors.New("not asked for (-peers)")

func newLab(ctx context.Context) *lab {
	return &lab{ctx: ctx, kernels: map[string]*cpu.Device{}, devices: map[int]*tensor.Device{}, losses: map[string]func() mlpReference{}, peers: map[string]startedPeer{}}
}

func (l *lab) close() {
	for _, p := range l.peers {
		if p.peer != nil {
			p.peer.stop()
		}
	}
	for _, d := range l.kernels {
		d.Close()
	}
	for _, d := range l.devices {
		d.Close()
	}
}

// threads are the numbers of threads that cases run on: one, and two where the
// machine has them.
func threads() []int {
	if runtime.GOMAXPROCS(0) < 2 {
		return []int{1}
	}
	return []int{1, 2}
}

func mostThreads() int { return slices.Max(threads()) }

// levels are the SIMD levels that products of float32 are measured at.
func levels() []string {
	l := cpu.Levels()
	if len(l) > 1 {
		l = l[:len(l)-1] // portable Go is for processors without another
	}
	return slices.DeleteFunc(l, func(name string) bool { return name == "avx512bf16" }) // those of avx512
}

// kernelDevice returns the device for direct calls.
func (l *lab) kernelDevice(level string, workers int) *cpu.Device {
	key := level + "/" + strconv.Itoa(workers)
	if l.kernels[key] == nil {
		l.kernels[key] = cpu.New(cpu.Options{Workers: workers, Level: level})
	}
	return l.kernels[key]
}

// device returns the device for tensors, at the best level.
func (l *lab) device(workers int) *tensor.Device {
	if l.subject != nil {
		return l.subject.tensor
	}
	return l.narrow(workers)
}

// narrow returns the processor with so many workers, at the best level.
func (l *lab) narrow(workers int) *tensor.Device {
	if l.devices[workers] == nil {
		l.devices[workers] = tensor.New(cpu.New(cpu.Options{Workers: workers}))
	}
	return l.devices[workers]
}

// peer returns a peer's process; level is that of the kernels it shall use.
func (l *lab) peer(name, level string) (*peer, error) {
	if !l.usePeers || l.subject != nil && l.subject.ID != "cpu" {
		return nil, errNoPeers
	}
	key := name
	if name != "gonum" {
		key += "/" + level
	}
	p, ok := l.peers[key]
	if !ok {
		p.peer, p.err = l.start(name, level)
		l.peers[key] = p
	}
	return p.peer, p.err
}

func (l *lab) start(name, level string) (*peer, error) {
	env, forced := peerEnv(level, cmp.Or(l.width, mostThreads()))
	if name == "torch" {
		return startTorch(l.ctx, l.python, env, forced)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return startPeer(l.ctx, name, env, forced, []string{self, "peer", name})
}

// openblasCores are OpenBLAS's names for the kernels of a level.
var openblasCores = map[string]string{"avx512": "SKYLAKEX", "avx2": "HASWELL"}

// peerEnv returns the environment for peers: see the command's documentation.
func peerEnv(level string, threads int) (defaults, forced []string) {
	n := strconv.Itoa(threads)
	defaults = []string{
		"OMP_NUM_THREADS=" + n, "OPENBLAS_NUM_THREADS=" + n,
		"OMP_WAIT_POLICY=passive",
		"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=17179869184",
	}
	if dirs, _ := filepath.Glob("/usr/lib/*/openblas-openmp"); len(dirs) > 0 {
		defaults = append(defaults, "LD_LIBRARY_PATH="+strings.Join(dirs, ":"))
	}
	if core := openblasCores[level]; core != "" {
		forced = []string{"OPENBLAS_CORETYPE=" + core}
	}
	return defaults, forced
}
