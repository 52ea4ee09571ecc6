package cpu

import (
	"errors"
	"math/bits"
	"runtime"
	"sync"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// align is the alignment of buffers and of temporaries, in bytes: a cache line,
// and the widest vector register.
const align = 64

// A block is memory of one size class.
type block struct {
	mem   []byte // len is the class size, aligned
	class int
}

func (b *block) ptr() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b.mem)) }

// A pool hands out blocks by size class and keeps those that come back.
type pool struct {
	name  string
	limit int // bytes; 0: none
	fail  func(n int) error

	mu       sync.Mutex
	free     [maxClass][]*block
	requests int // all get calls, for fail
	allocs   int
	live     int // asked for, in buffers
	held     int // from the system: class sizes
	inUse    int // class sizes handed out
	peak     int // the most of them since the last trim
}

// Classes are 64, 80, 96, 112, 128, 160, ...: four to an octave, so that at
// most a fifth is wasted.
const maxClass = 4 * 58

func sizeClass(n int) (class, size int) {
	if n <= align {
		return 0, align
	}
	u := uint(n - 1)
	sh := bits.Len(u) - 3     // the top three bits of n-1 choose the class
	q := int(u>>uint(sh)) + 1 // 5..8
	return 4*(sh-4) + q - 4, q << uint(sh)
}

// get returns a block of at least n bytes; user tells whether it backs a
// buffer, of n bytes.
func (p *pool) get(n int, user bool) (*block, error) {
	const maxInt = int(^uint(0) >> 1)
	if n < 0 || n > maxInt/2-align {
		return nil, p.memoryError(n, "the size is not addressable")
	}
	class, size := sizeClass(n)
	p.mu.Lock()
	p.requests++
	req := p.requests
	p.mu.Unlock()
	if p.fail != nil {
		if err := p.fail(req); err != nil {
			return nil, err
		}
	}
	for try := 0; ; try++ {
		p.mu.Lock()
		if l := p.free[class]; len(l) > 0 {
			b := l[len(l)-1]
			l[len(l)-1] = nil
			p.free[class] = l[:len(l)-1]
			p.account(b, n, user)
			p.mu.Unlock()
			return b, nil
		}
		if p.limit > 0 && p.held+size > p.limit {
			p.trimLocked()
		}
		fits := p.limit <= 0 || p.held+size <= p.limit
		if fits {
			p.held += size // reserved while the lock is not held
			p.allocs++
		}
		p.mu.Unlock()
		if fits {
			b, err := newBlock(class, size)
			p.mu.Lock()
			if err != nil {
				p.held -= size
				p.allocs--
				p.mu.Unlock()
				return nil, p.memoryError(n, err.Error())
			}
			p.account(b, n, user)
			p.mu.Unlock()
			return b, nil
		}
		if try > 0 {
			return nil, p.memoryError(n, "")
		}
		// Buffers of unreachable tensors come back when they are collected.
		runtime.GC()
		runtime.Gosched()
	}
}

func (p *pool) account(b *block, n int, user bool) {
	p.inUse += len(b.mem)
	p.peak = max(p.peak, p.inUse)
	if user {
		p.live += n
	}
}

func newBlock(class, size int) (b *block, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the size is not addressable")
		}
	}()
	raw := make([]byte, size+align-1)
	adviseHuge(raw)
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(raw))) & (align - 1))
	return &block{mem: raw[off : off+size : off+size], class: class}, nil
}

// put takes a block back; n is what it was asked for.
func (p *pool) put(b *block, n int, user bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inUse -= len(b.mem)
	if user {
		p.live -= n
	}
	p.free[b.class] = append(p.free[b.class], b)
}

// trim drops the free lists.
func (p *pool) trim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trimLocked()
	p.peak = p.inUse
}

func (p *pool) trimLocked() {
	for c, l := range p.free {
		for _, b := range l {
			p.held -= len(b.mem)
		}
		p.free[c] = nil
	}
}

func (p *pool) memoryError(n int, reason string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &ir.MemoryError{Device: p.name, Need: n, Live: p.inUse, Limit: p.limit, Reason: reason}
}
