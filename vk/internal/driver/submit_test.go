//go:build cgo

package driver_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/vk/internal/driver"
)

// Many goroutines wait for the same epochs while fences are used again and again.
func TestManyWaiters(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	s := newSaxpy(t, d, 3000, 1)
	cbs := []*driver.CommandBuffer{record(t, d, s.cmd), record(t, d, s.cmd), record(t, d, s.cmd)}
	epochs := make(chan driver.Epoch, 1000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for e := range epochs {
				ctx, cancel := context.WithTimeout(background, time.Minute)
				for _, e := range []driver.Epoch{e, max(e, 3) - 2, e} {
					if err := d.Wait(ctx, e); err != nil {
						t.Error(err)
					}
					if !d.Done(e) {
						t.Errorf("epoch %d is not done after waiting", e)
					}
				}
				cancel()
			}
		})
	}
	var e driver.Epoch
	for i := range 600 {
		cb := cbs[i%len(cbs)]
		require.NoError(t, d.Wait(background, cb.Epoch()))
		next := submit(t, d, cb)
		require.Greater(t, next, e)
		e = next
		epochs <- e
		epochs <- e
	}
	close(epochs)
	wg.Wait()
	s.require(t, d, e, 600)
	require.Equal(t, d.Submitted(), d.Completed())
}

// After runs what is due in epoch order of completion, and Close runs the rest.
func TestAfter(t *testing.T) {
	in := openInstance(t)
	d, err := in.OpenDevice(0, driver.DeviceOptions{})
	require.NoError(t, err)
	s := newSaxpy(t, d, 10, 1)
	ran := 0
	d.After(0, func() { ran++ })
	require.Equal(t, 1, ran)
	e := submit(t, d, record(t, d, s.cmd))
	d.After(e, func() { ran++; d.After(e, func() { ran++ }) })
	require.NoError(t, d.Wait(background, e))
	require.Equal(t, 3, ran)
	d.After(e+1, func() { ran++; s.x.Free() })
	require.Equal(t, 3, ran)
	require.NoError(t, d.Close())
	require.Equal(t, 4, ran)
}

// A hazard without a barrier is reported: the tests above would hear of one.
func TestValidationReportsHazards(t *testing.T) {
	in, err := driver.Open(driver.InstanceOptions{Validation: true})
	if errors.Is(err, driver.ErrNoValidation) || errors.Is(err, driver.ErrNoLoader) || errors.Is(err, driver.ErrNoDevice) {
		t.Skip(err)
	}
	require.NoError(t, err)
	d, err := in.OpenDevice(0, driver.DeviceOptions{})
	require.NoError(t, err)
	a := alloc(t, d, 1024, driver.DeviceMemory)
	record(t, d, driver.Fill(a, 0, 1024, 1), driver.Barrier(), driver.Fill(a, 0, 1024, 2))
	require.Empty(t, in.Messages())
	record(t, d, driver.Fill(a, 0, 1024, 1), driver.Fill(a, 0, 1024, 2))
	require.Contains(t, strings.Join(in.Messages(), "\n"), "WRITE")
	require.Empty(t, in.Messages(), "messages are drained")
	require.NoError(t, d.Close())
	require.NoError(t, in.Close())
}
