package vk

import (
	"errors"
	"time"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// ErrNoCgo is why there are no Vulkan devices in a program built without cgo.
var ErrNoCgo = errors.New("vk: built without cgo, Vulkan is not available")

// TierCore as Options.Tier allows Vulkan 1.1's core limits only.
const TierCore = -1

// Options configures [Open]; the zero value is the usual one.
type Options struct {
	// Tier caps the feature tier: 0 is no cap, 1 to 3 that tier, TierCore tier
	// 0. The environment's FORNAX_VK_TIER, 0 to 3, caps it further. Tier 3 is
	// never reached unless one of the two asks for it.
	Tier int
	// MinimumLimits treats the device as one that has what Vulkan 1.1 guarantees
	// and no more: tier 0 without 64-bit types, 4 storage buffers a kernel, 128
	// invocations and 16 KiB of shared memory a workgroup, bindings of 128 MiB,
	// allocations of 1 GiB. For tests, and for a driver that promises too much.
	MinimumLimits bool
	// LikeGPU chooses kernels on a driver that computes on the CPU as on a GPU, for
	// tests.
	LikeGPU bool
	// MemoryBytes bounds the device's memory; 0 is all of it.
	MemoryBytes int
	// Validation enables the Khronos validation layer with synchronization
	// validation; so does FORNAX_VALIDATION=1. See Device.Messages.
	Validation bool
	// ForceStaging treats device memory as invisible to the host, for tests.
	ForceStaging bool
	// Arguments says how kernels reach buffers.
	Arguments Arguments
	// Disable switches kernels off, as does FORNAX_VK_DISABLE with commas between
	// them: by variant, such as "reduce row 256 1", or by its first words, as
	// "matmul_sub8" and "reduce row"; by op and dtype, as "f32_exp"; "address" and
	// "descriptor", the ways to reach buffers; "wide", the dtypes of 64 bits. What
	// has no stand-in gives *ir.UnsupportedError. Device.Report lists what is there.
	Disable []string
	// Tuning says when kernels are timed to find the fastest. FORNAX_VK_TUNE=0 and 1
	// mean TuneNever and TuneAtFirstUse where this is TuneByChoice.
	Tuning Tuning
	// SubmitWork is the estimated operations (a multiply-add is two) after which a
	// program goes on in another submit, so that none takes as long as a driver's
	// watchdog allows. 0 is 2^38 on discrete GPUs, 2^35 on others, and no end on CPU
	// drivers. A kernel with more goes out in pieces, of whole workgroups each; only a
	// user's is not cut.
	SubmitWork float64
	// Profile times every kernel on the device's clock; see Device.Profile. Runs then
	// wait for the device, and kernels do not overlap.
	Profile bool
	// CacheDir is where the pipeline cache and the results of self-tests and tuning are
	// kept; empty: nowhere. Devices
	// opened by name keep it in the user's cache folder, under fornax/vulkan.
	CacheDir string
	// FailAlloc and FailSubmit, for tests, are called with the number of the
	// device's allocation or submit, from 1; an error makes it fail. See
	// ErrLoseDevice.
	FailAlloc, FailSubmit func(n int) error
	// Corrupt, for tests, is called with the name and the words of each module
	// before its pipeline is built, and returns other words: a driver that
	// computes a kernel wrongly. Custom kernels are left alone.
	Corrupt func(module string, words []uint32) []uint32
}

// A Timing is the time that the device spent on one kernel for one instruction.
type Timing struct {
	Kernel string // the variant, or "custom" and the op's name
	Instr  string // as a program prints it; the first of those that share a dispatch
	Runs   int
	Total  time.Duration
}

// Tuning says when kernels are timed to find the fastest.
type Tuning uint8

const (
	// TuneByChoice is TuneAtFirstUse on GPUs whose results are kept (Options.CacheDir),
	// and TuneNever elsewhere: on a CPU driver a pipeline takes longer to build than
	// the choice can gain.
	TuneByChoice Tuning = iota
	// TuneNever uses what is on record and the defaults.
	TuneNever
	// TuneAtFirstUse times the kernels of a class of shapes before the first program
	// that needs it, at most 0.3 s long each and 3 s in all.
	TuneAtFirstUse
	// TuneAll is TuneAtFirstUse without an end of time, as tools/bench tune has it.
	TuneAll
)

// Arguments is a way for kernels to reach buffers.
type Arguments uint8

const (
	// ByChoice is whichever the driver is known to run faster, program by
	// program; at tier 0 always by descriptor.
	ByChoice Arguments = iota
	// ByDescriptor binds storage buffers.
	ByDescriptor
	// ByAddress passes device addresses; it needs tier 1.
	ByAddress
)

// ErrLoseDevice is what a FailSubmit returns to lose the device.
var ErrLoseDevice = ir.ErrDeviceLost

// A Kernel is a user's kernel for a custom op: the value of
// ir.CustomOp.Kernels["vulkan"].
//
// The module's set 0 has one storage buffer for each input, in order, then one
// for each output, at bindings 0, 1, …; arrays are packed, narrow elements four
// to a word. It must keep to tier 0 (Vulkan 1.1 core) to run on every device.
type Kernel struct {
	// SPIRV is the module, as tools/shaderc makes and package shaders loads.
	SPIRV []uint32
	// Entry is the entry point; "" is main.
	Entry string
	// Spec sets specialization constants 0, 1, …
	Spec []uint32
	// Groups gives the number of workgroups on each axis, at most 65,535.
	Groups func(in, out []ir.Type, attrs []int64) [3]uint32
	// Params gives the push constants, at most 32 words; nil: none.
	Params func(in, out []ir.Type, attrs []int64) []uint32
}

const backendName = "vulkan"

func init() { ir.Register(backend{}) }

// backend is the ir.Backend "vulkan".
type backend struct{}

// Name implements ir.Backend.
func (backend) Name() string { return backendName }
