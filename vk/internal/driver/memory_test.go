//go:build cgo

package driver_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/vk/internal/driver"
)

// Upload and download of odd ranges, against a byte slice.
func TestTransfers(t *testing.T) {
	for _, staging := range []bool{false, true} {
		d := openDevice(t, driver.DeviceOptions{ForceStaging: staging})
		if staging && d.HostVisible() {
			t.Fatal("staging is not forced")
		}
		const size = 40<<20 + 123 // more than all slots together
		rng := rand.New(rand.NewPCG(3, 4))
		a := alloc(t, d, size, driver.DeviceMemory)
		model := make([]byte, size)
		for i := range model {
			model[i] = byte(rng.Uint32())
		}
		last, err := d.Upload(background, a, 0, model, 0)
		require.NoError(t, err)
		for range 30 {
			off := rng.IntN(size)
			n := rng.IntN(min(size-off, 9<<20)) + 1
			if rng.IntN(2) == 0 {
				p := model[off : off+n]
				for i := 0; i < n; i += 7 {
					p[i] ^= byte(n)
				}
				last, err = d.Upload(background, a, off, p, last)
				require.NoError(t, err)
			} else {
				got := make([]byte, n)
				require.NoError(t, d.Download(background, got, a, off, last))
				require.True(t, bytes.Equal(model[off:off+n], got))
			}
		}
		got := make([]byte, size)
		require.NoError(t, d.Download(background, got, a, 0, last))
		require.True(t, bytes.Equal(model, got))
		_, err = d.Upload(background, a, size, nil, 0)
		require.NoError(t, err)
		require.NoError(t, d.Download(background, nil, a, 0, 0))

		ctx, cancel := context.WithCancel(background)
		cancel()
		if staging {
			require.ErrorIs(t, d.Download(ctx, got, a, 0, 0), context.Canceled)
			require.NoError(t, d.Download(background, got, a, 0, 0), "slots are not lost by cancelling")
		}
	}
}

// Goroutines that allocate, run, read and free at once, with and without staging.
func TestConcurrentUse(t *testing.T) {
	for _, staging := range []bool{false, true} {
		d := openDevice(t, driver.DeviceOptions{ForceStaging: staging})
		var wg sync.WaitGroup
		for g := range 6 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(g), 5))
				p := saxpyPipeline(t, d, float32(g+1))
				for range 15 {
					n := 1 + rng.IntN(20000)
					x, err := d.Alloc(4*n, driver.DeviceMemory)
					if err != nil {
						t.Error(err)
						return
					}
					set, err := d.NewDescriptorSet(p, []driver.BufferBinding{{Allocation: x}, {Allocation: x}})
					if err != nil {
						t.Error(err)
						return
					}
					cb, err := d.Record([]driver.Command{driver.Fill(x, 0, 4*n, 0x3f800000), driver.Barrier(),
						p.Dispatch(set, []byte{byte(n), byte(n >> 8), byte(n >> 16), 0}, (n+63)/64, 1, 1)})
					if err != nil {
						t.Error(err)
						return
					}
					e, err := d.Submit(cb)
					if err != nil {
						t.Error(err)
						return
					}
					cb.Free()
					d.Done(e)
					b := make([]byte, 4*n)
					if err := d.Download(background, b, x, 0, e); err != nil {
						t.Error(err)
						return
					}
					if want := floatBytes([]float32{float32(g + 2)}); !bytes.Equal(b[:4], want) || !bytes.Equal(b[4*n-4:], want) {
						t.Errorf("goroutine %d: wrong values", g)
					}
					d.After(e, func() { set.Free(); x.Free() })
				}
			})
		}
		wg.Wait()
		require.NoError(t, d.WaitIdle(background))
	}
}

func TestAllocator(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	rng := rand.New(rand.NewPCG(5, 6))
	type piece struct {
		*driver.Allocation
		mark byte
	}
	var live []piece
	var bytesLive uint64
	round := func(n int) uint64 {
		a := d.Alignment()
		return uint64((max(n, 1) + a - 1) / a * a)
	}
	kinds := []driver.MemoryKind{driver.DeviceMemory, driver.UploadMemory, driver.ReadbackMemory}
	for step := range 4000 {
		if rng.IntN(5) < 3 && len(live) < 300 {
			n := int(rng.ExpFloat64() * 20000)
			a := alloc(t, d, n, kinds[rng.IntN(3)])
			require.Zero(t, a.Offset%d.Alignment())
			require.Equal(t, n, a.Size)
			if a.Mapped != nil {
				require.Len(t, a.Mapped, n)
				for i := range a.Mapped {
					a.Mapped[i] = byte(step)
				}
			}
			live = append(live, piece{a, byte(step)})
			bytesLive += round(n)
		} else if len(live) > 0 {
			i := rng.IntN(len(live))
			p := live[i]
			for _, b := range p.Mapped { // nobody else wrote here
				if b != p.mark {
					t.Fatalf("step %d: allocations overlap", step)
				}
			}
			p.Free()
			p.Free()
			bytesLive -= round(p.Size)
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
		}
		require.Equal(t, bytesLive, d.Stats().Memory.Live)
	}
	for _, p := range live {
		p.Free()
	}
	require.Zero(t, d.Stats().Memory.Live)
	require.NotZero(t, d.Stats().Memory.Reserved)
	require.NotZero(t, d.Trim())
	s := d.Stats().Memory
	require.Zero(t, s.Reserved)
	require.Zero(t, s.Blocks)
	require.NotZero(t, s.BlockAllocs)
}

// Memory that is freed and asked for again in the same sizes takes nothing new from the driver.
func TestAllocatorIsFlat(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	cycle := func() {
		var as []*driver.Allocation
		for _, mb := range []int{1, 10, 100, 300, 40, 70} {
			as = append(as, alloc(t, d, mb<<20, driver.DeviceMemory))
		}
		for _, a := range as {
			a.Free()
		}
	}
	cycle()
	cycle()
	before := d.Stats().Memory
	for range 100 {
		cycle()
	}
	require.Equal(t, before, d.Stats().Memory)
}

func TestOutOfMemory(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	_, err := d.Alloc(d.MaxAlloc()+1, driver.DeviceMemory)
	require.ErrorIs(t, err, driver.ErrOutOfDeviceMemory)
	var m *driver.MemoryError
	require.ErrorAs(t, err, &m)
	require.Greater(t, m.Need, m.Limit)
	_, err = d.Alloc(1000, driver.DeviceMemory)
	require.NoError(t, err, "the device stays usable")
}

func TestFaults(t *testing.T) {
	failAlloc, failSubmit := 0, 0
	var with error
	d := openDevice(t, driver.DeviceOptions{
		FailAlloc: func(n int) error {
			if n == failAlloc {
				return driver.ErrOutOfDeviceMemory
			}
			return nil
		},
		FailSubmit: func(n int) error {
			if n == failSubmit {
				return with
			}
			return nil
		},
	})
	s := newSaxpy(t, d, 100, 1)
	cb := record(t, d, s.cmd)

	failAlloc = int(d.Stats().Allocs) + 2
	alloc(t, d, 10, driver.DeviceMemory)
	_, err := d.Alloc(10, driver.DeviceMemory)
	require.ErrorIs(t, err, driver.ErrOutOfDeviceMemory)
	alloc(t, d, 10, driver.DeviceMemory)

	failSubmit, with = int(d.Stats().Submits)+1, driver.ErrOutOfHostMemory
	_, err = d.Submit(cb)
	require.ErrorIs(t, err, driver.ErrOutOfHostMemory)
	require.False(t, d.Lost())
	e := submit(t, d, cb)
	s.require(t, d, e, 1)

	failSubmit, with = int(d.Stats().Submits)+1, driver.ErrDeviceLost
	_, err = d.Submit(cb)
	require.ErrorIs(t, err, driver.ErrDeviceLost)
	require.True(t, d.Lost())
	for _, f := range []func() error{
		func() error { _, err := d.Submit(cb); return err },
		func() error { return d.Wait(background, e) },
		func() error { return d.WaitIdle(background) },
		func() error { _, err := d.Alloc(1, driver.DeviceMemory); return err },
		func() error { _, err := d.Record(nil); return err },
		func() error { return d.Download(background, make([]byte, 4), s.y, 0, e) },
		func() error { _, err := d.Upload(background, s.y, 0, make([]byte, 4), e); return err },
		func() error { _, err := d.NewPipeline(driver.PipelineDesc{}); return err },
	} {
		require.ErrorIs(t, f(), driver.ErrDeviceLost)
	}
	s.x.Free()
	cb.Free()
}

// A staging slot whose submit fails is usable afterwards.
func TestFaultsInStaging(t *testing.T) {
	fail := errors.New("injected")
	n := 0
	d := openDevice(t, driver.DeviceOptions{ForceStaging: true, FailSubmit: func(int) error {
		if n++; n%3 == 0 {
			return fail
		}
		return nil
	}})
	a := alloc(t, d, 20<<20, driver.DeviceMemory)
	buf := make([]byte, 20<<20)
	for range 10 {
		_, err := d.Upload(background, a, 0, buf, 0)
		require.ErrorIs(t, err, fail)
		require.ErrorIs(t, d.Download(background, buf, a, 0, 0), fail)
	}
}

func TestPipelineCacheOnDisk(t *testing.T) {
	in := openInstance(t)
	dir := filepath.Join(t.TempDir(), "cache")
	run := func() int {
		d, err := in.OpenDevice(0, driver.DeviceOptions{CacheDir: dir})
		require.NoError(t, err)
		saxpyPipeline(t, d, 2)
		require.NoError(t, d.SavePipelineCache())
		loaded := d.CacheLoaded()
		require.NoError(t, d.Close())
		return loaded
	}
	require.Zero(t, run())
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("this driver gives no pipeline cache")
	}
	require.Len(t, files, 1)
	whole, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.Positive(t, run())

	foreign := append([]byte(nil), whole...)
	foreign[48+8] ^= 1 // the vendor, and with it the hash
	for name, damaged := range map[string][]byte{"empty": {}, "cut": whole[:len(whole)-1], "noise": bytes.Repeat([]byte{0xa5}, 300), "foreign": foreign} {
		require.NoError(t, os.WriteFile(files[0], damaged, 0o644))
		require.Zero(t, run(), name)
		require.Positive(t, run(), "%s: not replaced", name)
	}
}
