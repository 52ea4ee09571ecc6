package ir

import "context"

// A Device computes. All methods are safe for concurrent use.
type Device interface {
	// Info describes the device; it does not change.
	Info() *Info
	// NewBuffer returns memory of at least the given size, from a pool; its
	// contents are undefined. Errors: ErrOutOfMemory, ErrDeviceLost.
	NewBuffer(bytes int) (Buffer, error)
	// Compile makes a checked program ready to run. Errors: an
	// *UnsupportedError names the instruction the device cannot run.
	Compile(*Program) (Executable, error)
	// Sync waits until all submitted work is done and returns the first
	// failure since the last wait: *IndexError, ErrDeviceLost.
	Sync(ctx context.Context) error
	// Trim gives the pools' unused memory back to the system.
	Trim()
	// Stats counts what the device did since it was opened.
	Stats() Stats
	// Close releases the device. Buffers and executables become unusable.
	Close() error
}

// A Reporter is a Device that tells more of itself than Info, for people: what the
// hardware and the driver have, and which kernels are in use and why.
type Reporter interface {
	Report() []Fact
}

// A SelfTester is a Device that compares each of its kernels with the reference when
// it first needs it. SelfTest does so for all, also those that nothing needed yet; what
// computes wrongly is switched off and in the Report. The error is of the device, or ctx's
// where that ended first: what was tried until then counts, and another call goes on.
type SelfTester interface {
	SelfTest(ctx context.Context) error
}

// A Sizer is a Device that tells how much memory things take before they are made.
type Sizer interface {
	// BufferSize returns the bytes that a buffer of so many bytes takes.
	BufferSize(bytes int) int
	// WorkSize returns the bytes that a run of a program takes besides its arguments.
	// Errors are those of Compile.
	WorkSize(*Program) (int, error)
	// Room returns how many bytes buffers and runs together can take when there is
	// nothing else on the device; 0 where that is not known.
	Room() int
}

// A Composite is a Device that runs programs on others.
type Composite interface {
	Members() []Device
}

// An Explainer is an Executable that says, for people, what its runs are expected to
// take, what they took, and why they run where they do.
type Explainer interface {
	Explain() string
}

// A Fact is a line of a report.
type Fact struct {
	Topic string `json:"topic"` // what neighbouring facts have in common, such as "limits"
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Buffer is device memory.
type Buffer interface {
	// Bytes returns the size asked for.
	Bytes() int
	// Write copies src to the buffer at byte off. It takes effect after work
	// that was submitted before, and before work submitted after it returns.
	Write(off int, src []byte) error
	// Read waits for the work submitted before and copies the bytes at off to
	// dst. A failure of that work is returned here.
	Read(dst []byte, off int) error
	// Free returns the memory to the pool once submitted work is done with
	// it. Free of a freed buffer does nothing.
	Free()
}

// An Executable is a compiled program.
type Executable interface {
	// Run submits the program. args holds the buffers of inputs and outputs
	// (an output with an Alias is passed its input's buffer), scalars the
	// program's scalars. All memory it needs is had before its first submit;
	// after ctx is cancelled nothing more is submitted, as long as no memory
	// of an aliased output was written. On error no argument has changed,
	// but for ErrDeviceLost.
	Run(ctx context.Context, args []Buffer, scalars []Scalar) error
	// Free releases what the executable holds. A Run in progress ends as it would, unless
	// it has yet to begin on the device: that one and later ones fail with ErrClosed.
	Free()
}

// Info describes a device.
type Info struct {
	Backend string // "cpu", "vulkan"
	Name    string // as Open takes it: "cpu", "vulkan:0"
	Model   string // the hardware's name
	Vendor  string
	Driver  string // name and version
	// Software is true for a driver that computes on the CPU.
	Software bool
	// Tier is the feature tier in use (vulkan: 0 to 3).
	Tier   int
	DTypes Class
	Limits Limits
	// Customs reports whether kernels for custom ops of the backend's kind run
	// here; see CustomOp.Kernels.
	Customs bool
}

// Limits bound what a program may ask of a device.
type Limits struct {
	// Operands is the number of distinct slots that one instruction may read
	// and write together.
	Operands int
	// BufferBytes is the largest buffer, and the largest arena.
	BufferBytes int
	// Align is the alignment of temporaries in the arena, in bytes.
	Align int
	// MemoryBytes is all the memory there is; 0 where unknown.
	MemoryBytes int
}

// Stats counts what a device did.
type Stats struct {
	Programs   int // compiled
	Pipelines  int // built (vulkan)
	Submits    int // runs and transfers handed to the hardware
	Runs       int // executables run
	Dispatches int // kernels in those runs
	Allocs     int // times memory was had from the system
	LiveBytes  int // in buffers that are not freed
	PoolBytes  int // had from the system: live, arena and free
	UsedBytes  int // in buffers that are not freed and arenas, as they are rounded up
	KeptBytes  int // of UsedBytes: arenas that the next run has again
	PeakBytes  int // the most UsedBytes since the device was opened, or trimmed
}

// A Backend makes the devices of one kind.
type Backend interface {
	// Name is the first part of device names: "cpu", "vulkan".
	Name() string
	// Devices lists the devices present; err says why there are none.
	Devices() ([]Info, error)
	// Open opens device i of Devices.
	Open(i int) (Device, error)
}
