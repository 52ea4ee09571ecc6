//go:build cgo

package driver

/*
#include "driver.h"

#cgo noescape fx_block_create
#cgo nocallback fx_block_create
#cgo nocallback fx_block_destroy
#cgo nocallback fx_flush
#cgo nocallback fx_invalidate
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"unsafe"
)

// Blocks: the first of a kind has firstBlock bytes, each later one doubles up to maxBlock. A request that
// is larger than the kind's next block gets a block of its own.
const (
	firstBlock     = 64 << 20
	maxBlock       = 256 << 20
	firstHostBlock = 256 << 10
	maxHostBlock   = 64 << 20
)

// Allocation is a piece of a buffer. Its fields do not change.
type Allocation struct {
	Buffer  uint64 // VkBuffer, shared with other allocations
	Offset  int    // bytes from the start of Buffer, aligned to Device.Alignment
	Size    int    // bytes asked for
	Address uint64 // device address of the first byte; 0 without Features.BufferDeviceAddress
	// Mapped is the host's view of the memory, nil where the host cannot see it. Where Device.Coherent
	// is false, write it and call Flush, or call Invalidate and read it; Upload and Download do.
	Mapped []byte

	d     *Device
	block *block
	span  int32 // -1 once freed; guarded by memory.mu
}

type block struct {
	arena     *arena
	c         C.fx_block
	size      uint64
	ranges    *ranges
	dedicated bool
}

// arena is the memory of one kind.
type arena struct {
	kind      MemoryKind
	typ       int // index of the memory type
	heap      int
	mapped    bool
	coherent  bool
	cached    bool
	blocks    []*block
	nextBlock uint64
	maxBlock  uint64
}

type memory struct {
	align uint64
	limit uint64 // most bytes of a block

	mu          sync.Mutex
	arenas      [memoryKinds]arena
	live        uint64
	heapUsed    [16]uint64
	blockCount  int
	blockAllocs uint64
}

// init chooses memory types by the device as it is, whatever bounds its heaps.
func (m *memory) init(d *Device, whole *PhysicalDevice) error {
	l := d.info.Limits
	m.align = max(256, l.StorageOffsetAlignment, l.UniformOffsetAlignment, l.NonCoherentAtom)
	m.limit = l.MaxAllocation
	if l.MaxBuffer != 0 {
		m.limit = min(m.limit, l.MaxBuffer)
	}
	m.limit -= m.limit % m.align
	usable := uint32(C.fx_buffer_memory_types(d.c))
	for k := range m.arenas {
		a := &m.arenas[k]
		a.kind = MemoryKind(k)
		a.typ = chooseType(a.kind, whole, usable)
		if a.typ < 0 {
			return fmt.Errorf("%w: no %v memory type for buffers", ErrNoDevice, a.kind)
		}
		t := d.info.MemoryTypes[a.typ]
		a.heap, a.coherent, a.cached = t.Heap, t.HostCoherent, t.HostCached
		a.mapped = t.HostVisible && !(a.kind == DeviceMemory && d.opt.ForceStaging)
		first, most := uint64(firstBlock), uint64(maxBlock)
		if a.kind != DeviceMemory {
			first, most = firstHostBlock, maxHostBlock
		}
		a.maxBlock = min(most, max(d.info.Heaps[a.heap].Size/8, 1<<20), m.limit)
		a.maxBlock -= a.maxBlock % m.align
		a.nextBlock = min(first, a.maxBlock)
	}
	return nil
}

// chooseType ranks the memory types for a kind; -1 when none will do.
//
// Device memory that the host sees directly is taken on devices that share memory with the host, and on
// others when the heap behind it is no mere window (resizable BAR): at least half of the largest
// device-local heap.
func chooseType(kind MemoryKind, p *PhysicalDevice, usable uint32) int {
	var largest uint64
	for _, h := range p.Heaps {
		if h.DeviceLocal {
			largest = max(largest, h.Size)
		}
	}
	best, bestScore := -1, -1
	for i, t := range p.MemoryTypes {
		if usable>>i&1 == 0 || t.Special {
			continue
		}
		score := 0
		add := func(points int, yes bool) {
			if yes {
				score += points
			}
		}
		switch kind {
		case DeviceMemory:
			direct := t.HostVisible && t.HostCoherent && p.Heaps[t.Heap].Size >= largest/2
			add(16, t.DeviceLocal)
			add(8, t.DeviceLocal && direct)
			add(4, t.DeviceLocal && direct && t.HostCached)
			add(2, !t.HostVisible) // a small window is left to those who ask for it
		case UploadMemory:
			if !t.HostVisible {
				continue
			}
			add(8, t.HostCoherent)
			add(4, !t.DeviceLocal || p.Type == IntegratedDevice || p.Type == CPUDevice)
			add(2, !t.HostCached) // write-combined
		case ReadbackMemory:
			if !t.HostVisible {
				continue
			}
			add(8, t.HostCached)
			add(4, t.HostCoherent)
			add(2, !t.DeviceLocal || p.Type == IntegratedDevice || p.Type == CPUDevice)
		}
		if score > bestScore {
			best, bestScore = i, score
		}
	}
	return best
}

// Alignment is what every allocation's offset is a multiple of, and its size rounded up to.
func (d *Device) Alignment() int { return int(d.mem.align) }

// MaxAlloc is the most bytes that one Alloc can give, whatever is free.
func (d *Device) MaxAlloc() int { return int(d.mem.limit) }

// HeapBytes is the size of the heap that device memory is in.
func (d *Device) HeapBytes() int {
	return int(min(d.info.Heaps[d.mem.arenas[DeviceMemory].heap].Size, math.MaxInt))
}

// MostBlock is the size of the largest block of device memory that several allocations
// share.
func (d *Device) MostBlock() int { return int(d.mem.arenas[DeviceMemory].maxBlock) }

// StagingShare is the most bytes that staged transfers take of the heap of device memory.
func (d *Device) StagingShare() int {
	if d.HostVisible() {
		return 0
	}
	n := 0
	for _, k := range []MemoryKind{UploadMemory, ReadbackMemory} {
		if d.mem.arenas[k].heap == d.mem.arenas[DeviceMemory].heap {
			n += slotCount * slotBytes
		}
	}
	return n
}

// HostVisible reports whether DeviceMemory is mapped.
func (d *Device) HostVisible() bool { return d.mem.arenas[DeviceMemory].mapped }

// Coherent reports whether the host's view of a kind of memory needs no Flush and Invalidate.
func (d *Device) Coherent(k MemoryKind) bool { return d.mem.arenas[k].coherent }

// Alloc gets bytes of memory; 0 bytes get the smallest piece. Contents are undefined. The error is a
// *MemoryError when there is not enough. Only on failure are empty blocks given back to the driver first.
func (d *Device) Alloc(bytes int, kind MemoryKind) (*Allocation, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	if bytes < 0 || kind >= memoryKinds {
		return nil, fmt.Errorf("driver: alloc of %d bytes of %v memory", bytes, kind)
	}
	n := d.count.allocs.Add(1)
	if f := d.opt.FailAlloc; f != nil {
		if err := f(int(n)); err != nil {
			return nil, fmt.Errorf("driver: alloc %d: %w", n, err)
		}
	}
	m := &d.mem
	size := max(uint64(bytes), 1)
	size += (m.align - size%m.align) % m.align
	m.mu.Lock()
	defer m.mu.Unlock()
	b, span, off, err := m.alloc(d, &m.arenas[kind], size)
	if err != nil {
		return nil, err
	}
	m.live += size
	a := &Allocation{Buffer: uint64(b.c.buffer), Offset: int(off), Size: bytes, d: d, block: b, span: span}
	if b.c.address != 0 {
		a.Address = uint64(b.c.address) + off
	}
	if b.c.mapped != nil {
		a.Mapped = unsafe.Slice((*byte)(unsafe.Add(b.c.mapped, off)), bytes)
	}
	return a, nil
}

func (m *memory) alloc(d *Device, a *arena, size uint64) (*block, int32, uint64, error) {
	heap := d.info.Heaps[a.heap].Size
	if size > m.limit {
		return nil, 0, 0, &MemoryError{Kind: a.kind, Need: size, Available: m.available(d, a), Heap: heap, Limit: m.limit, Result: ErrOutOfDeviceMemory}
	}
	dedicated := size > a.nextBlock
	for _, b := range a.blocks {
		// A block of its own is used again for a request of about its size.
		if b.dedicated && (!b.ranges.empty() || size < b.size-b.size/4) {
			continue
		}
		if span, off, ok := b.ranges.alloc(size); ok {
			return b, span, off, nil
		}
	}
	want := a.nextBlock
	if dedicated {
		want = size
	}
	trimmed := false
	for {
		b, err := m.newBlock(d, a, want, dedicated)
		if err == nil {
			if !dedicated {
				a.nextBlock = min(2*a.nextBlock, a.maxBlock)
			}
			span, off, _ := b.ranges.alloc(size)
			return b, span, off, nil
		}
		var r Result
		if !errors.As(err, &r) || (r != ErrOutOfDeviceMemory && r != ErrOutOfHostMemory) {
			return nil, 0, 0, wrap("alloc", err)
		}
		switch half := want/2 - want/2%m.align; {
		case !dedicated && half >= size && half >= 1<<20:
			want = half
		case !trimmed && m.trim(d) > 0:
			trimmed = true
		case want > size:
			want, dedicated = size, true
		default:
			return nil, 0, 0, &MemoryError{Kind: a.kind, Need: size, Available: m.available(d, a), Heap: heap, Limit: m.limit, Result: r}
		}
	}
}

func (m *memory) newBlock(d *Device, a *arena, size uint64, dedicated bool) (*block, error) {
	// The driver may let a heap be overrun, at the price of paging or of the process's life.
	if m.heapUsed[a.heap]+size > d.info.Heaps[a.heap].Size {
		return nil, ErrOutOfDeviceMemory
	}
	if uint64(m.blockCount) >= uint64(d.info.Limits.MaxAllocationCount) {
		return nil, fmt.Errorf("%d blocks: %w", m.blockCount, ErrTooManyObjects)
	}
	mapped := C.int(0)
	if a.mapped {
		mapped = 1
	}
	b := &block{arena: a, size: size, dedicated: dedicated}
	if err := d.checkStatus(C.fx_block_create(d.c, C.uint64_t(size), C.uint32_t(a.typ), mapped, &b.c)); err != nil {
		return nil, err
	}
	b.ranges = newRanges(size)
	a.blocks = append(a.blocks, b)
	m.heapUsed[a.heap] += size
	m.blockCount++
	m.blockAllocs++
	return b, nil
}

func (m *memory) available(d *Device, a *arena) uint64 {
	free := d.info.Heaps[a.heap].Size - min(m.heapUsed[a.heap], d.info.Heaps[a.heap].Size)
	if heaps, ok := d.in.Budget(d.index); ok {
		h := heaps[a.heap]
		free = min(free, h.Budget-min(h.Usage, h.Budget))
	}
	return free
}

// Free gives the memory back at once: the caller knows that no submitted work uses it any more, or says
// d.After(epoch, a.Free). Freeing twice, or after Close, does nothing.
func (a *Allocation) Free() {
	m := &a.d.mem
	m.mu.Lock()
	defer m.mu.Unlock()
	if a.span < 0 || a.block.ranges == nil {
		return
	}
	m.live -= a.block.ranges.spans[a.span].size
	a.block.ranges.release(a.span)
	a.span = -1
}

// Flush makes host writes to n bytes from off visible to work submitted later.
func (a *Allocation) Flush(off, n int) error {
	if a.Mapped == nil || a.block.arena.coherent {
		return nil
	}
	return a.coherence("vkFlushMappedMemoryRanges", off, n, func(o, z C.uint64_t) C.VkResult {
		return C.fx_flush(a.d.c, a.block.c.memory, o, z)
	})
}

// Invalidate makes device writes to n bytes from off, already waited for, visible to the host.
func (a *Allocation) Invalidate(off, n int) error {
	if a.Mapped == nil || a.block.arena.coherent {
		return nil
	}
	return a.coherence("vkInvalidateMappedMemoryRanges", off, n, func(o, z C.uint64_t) C.VkResult {
		return C.fx_invalidate(a.d.c, a.block.c.memory, o, z)
	})
}

// coherence widens the range to whole atoms, which stay inside the allocation: it is aligned to them.
func (a *Allocation) coherence(call string, off, n int, f func(o, z C.uint64_t) C.VkResult) error {
	if err := a.d.usable(); err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	atom := max(a.d.info.Limits.NonCoherentAtom, 1)
	start := uint64(a.Offset + off)
	end := start + uint64(n)
	start -= start % atom
	end += (atom - end%atom) % atom
	return a.d.check(call, f(C.uint64_t(start), C.uint64_t(end-start)))
}

// Trim gives blocks that nothing uses back to the driver and returns their bytes.
func (d *Device) Trim() int {
	if d.closed.Load() {
		return 0
	}
	d.stage.trim(d)
	d.mem.mu.Lock()
	defer d.mem.mu.Unlock()
	return int(d.mem.trim(d))
}

func (m *memory) trim(d *Device) (freed uint64) {
	for k := range m.arenas {
		a := &m.arenas[k]
		kept := a.blocks[:0]
		for _, b := range a.blocks {
			if !b.ranges.empty() {
				kept = append(kept, b)
				continue
			}
			freed += b.size
			m.destroy(d, b)
		}
		clear(a.blocks[len(kept):])
		a.blocks = kept
	}
	return freed
}

func (m *memory) destroy(d *Device, b *block) {
	C.fx_block_destroy(d.c, b.c.buffer, b.c.memory)
	m.heapUsed[b.arena.heap] -= b.size
	m.blockCount--
	b.ranges = nil
}

func (m *memory) stats() MemoryStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := MemoryStats{Live: m.live, Blocks: m.blockCount, BlockAllocs: m.blockAllocs}
	for _, n := range m.heapUsed {
		s.Reserved += n
	}
	return s
}

func (m *memory) close(d *Device) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.arenas {
		for _, b := range m.arenas[k].blocks {
			m.destroy(d, b)
		}
		m.arenas[k].blocks = nil
	}
	m.live = 0
}
