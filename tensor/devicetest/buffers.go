package devicetest

import (
	"bytes"
	"context"
	"errors"
	"math"
	"sync"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// testBuffers writes and reads memory without programs.
func (s *suite) testBuffers(t *testing.T) {
	s.sub(t, "offsets", func(t *testing.T) {
		const n = 1 << 16
		buf := s.buffer(t, n)
		defer buf.Free()
		if buf.Bytes() != n {
			t.Errorf("Bytes is %d, not %d", buf.Bytes(), n)
		}
		want := make([]byte, n)
		r := ref.Rand(1, "offsets")
		must(t, buf.Write(0, want))
		for range 60 {
			off := r.IntN(n)
			src := make([]byte, 1+r.IntN(min(n-off, 1+r.IntN(5000))))
			for i := range src {
				src[i] = byte(r.Uint32())
			}
			copy(want[off:], src)
			must(t, buf.Write(off, src))
			clear(src) // Write has copied it
			off = r.IntN(n)
			dst := make([]byte, r.IntN(n-off+1))
			must(t, buf.Read(dst, off))
			if !bytes.Equal(dst, want[off:off+len(dst)]) {
				t.Fatalf("%d bytes at %d differ", len(dst), off)
			}
		}
		must(t, buf.Write(n, nil))
		must(t, buf.Read(nil, n))
	})
	s.sub(t, "empty", func(t *testing.T) {
		buf := s.buffer(t, 0)
		must(t, buf.Write(0, nil))
		must(t, buf.Read(nil, 0))
		if buf.Bytes() != 0 {
			t.Errorf("Bytes is %d", buf.Bytes())
		}
		buf.Free()
		buf.Free()
	})
	s.sub(t, "outside", func(t *testing.T) {
		buf := s.buffer(t, 10)
		defer buf.Free()
		for _, off := range []int{-1, 8, 11} {
			if buf.Write(off, make([]byte, 4)) == nil || buf.Read(make([]byte, 4), off) == nil {
				t.Errorf("4 bytes at %d of 10 are no error", off)
			}
		}
	})
	s.sub(t, "freed", func(t *testing.T) {
		live := s.d.Stats().LiveBytes
		a := s.buffer(t, 1000)
		must(t, a.Write(0, make([]byte, 1000)))
		a.Free()
		a.Free() // gives nothing back twice: b and c are distinct
		b, c := s.buffer(t, 1000), s.buffer(t, 1000)
		must(t, b.Write(0, bytes.Repeat([]byte{1}, 1000)))
		must(t, c.Write(0, bytes.Repeat([]byte{2}, 1000)))
		a.Free()
		got := make([]byte, 1000)
		must(t, b.Read(got, 0))
		if !bytes.Equal(got, bytes.Repeat([]byte{1}, 1000)) {
			t.Error("a buffer freed twice was handed out twice")
		}
		if err := a.Write(0, []byte{1}); !errors.Is(err, ir.ErrClosed) {
			t.Errorf("Write to a freed buffer: %v", err)
		}
		if err := a.Read(got, 0); !errors.Is(err, ir.ErrClosed) {
			t.Errorf("Read of a freed buffer: %v", err)
		}
		b.Free()
		c.Free()
		must(t, s.d.Sync(context.Background()))
		if now := s.d.Stats().LiveBytes; now != live {
			t.Errorf("%d bytes are live, %d before", now, live)
		}
		s.d.Trim()
	})
	s.sub(t, "many", func(t *testing.T) {
		// Buffers of many sizes from many goroutines hold what was written.
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := range 40 {
					n := 1 + (i*i*37+g)%9000
					buf, err := s.d.NewBuffer(n)
					if err != nil {
						t.Error(err)
						return
					}
					want := bytes.Repeat([]byte{byte(1 + g*40 + i)}, n)
					got := make([]byte, n)
					if err := errors.Join(buf.Write(0, want), buf.Read(got, 0)); err != nil || !bytes.Equal(got, want) {
						t.Errorf("buffer of %d bytes: %v", n, err)
					}
					buf.Free()
				}
			}()
		}
		wg.Wait()
	})
	s.sub(t, "memory", func(t *testing.T) {
		// More than there is, or than one buffer may have, is an error that
		// says so.
		limit := s.d.Info().Limits.BufferBytes
		if most := math.MaxInt - 2<<20; limit == 0 || limit > most {
			limit = most
		}
		buf, err := s.d.NewBuffer(limit + 1<<20)
		if err == nil {
			buf.Free()
			t.Skip("the device gave it")
		}
		var mem *ir.MemoryError
		if !errors.Is(err, ir.ErrOutOfMemory) || !errors.As(err, &mem) || mem.Need < limit {
			t.Errorf("error %v is no MemoryError of the need", err)
		}
		s.buffer(t, 100).Free()
	})
}

func (s *suite) buffer(t *testing.T, n int) ir.Buffer {
	t.Helper()
	b, err := s.d.NewBuffer(n)
	must(t, err)
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
