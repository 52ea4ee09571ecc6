//go:build cgo

package driver_test

import (
	"context"
	"embed"
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/vk/internal/driver"
)

//go:embed testdata/*.spv
var modules embed.FS

var background = context.Background()

// openInstance skips without a driver, unless FORNAX_REQUIRE_VULKAN=1. With FORNAX_VALIDATION=1 any
// validation message fails the test.
func openInstance(t testing.TB) *driver.Instance {
	t.Helper()
	in, err := driver.Open(driver.InstanceOptions{Validation: os.Getenv("FORNAX_VALIDATION") == "1"})
	if err != nil {
		if os.Getenv("FORNAX_REQUIRE_VULKAN") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() {
		for _, m := range in.Messages() {
			t.Errorf("validation: %s", m)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	return in
}

func openDevice(t testing.TB, opt driver.DeviceOptions) *driver.Device {
	t.Helper()
	d, err := openInstance(t).OpenDevice(0, opt)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func module(t testing.TB, name string) []uint32 {
	t.Helper()
	b, err := modules.ReadFile("testdata/" + name + ".spv")
	require.NoError(t, err)
	w := make([]uint32, len(b)/4)
	for i := range w {
		w[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return w
}

func alloc(t testing.TB, d *driver.Device, n int, k driver.MemoryKind) *driver.Allocation {
	t.Helper()
	a, err := d.Alloc(n, k)
	require.NoError(t, err)
	return a
}

func floatBytes(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func upload(t testing.TB, d *driver.Device, a *driver.Allocation, v []float32) {
	t.Helper()
	_, err := d.Upload(background, a, 0, floatBytes(v), 0)
	require.NoError(t, err)
}

func download(t testing.TB, d *driver.Device, a *driver.Allocation, n int, after driver.Epoch) []float32 {
	t.Helper()
	b := make([]byte, 4*n)
	require.NoError(t, d.Download(background, b, a, 0, after))
	v := make([]float32, n)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

func saxpyPipeline(t testing.TB, d *driver.Device, a float32) *driver.Pipeline {
	t.Helper()
	p, err := d.NewPipeline(driver.PipelineDesc{
		SPIRV: module(t, "saxpy"), Spec: []driver.SpecConstant{{ID: 0, Value: 64}, {ID: 1, Value: math.Float32bits(a)}},
		PushConstantBytes: 4, Bindings: []driver.BindingType{driver.StorageBuffer, driver.StorageBuffer},
	})
	require.NoError(t, err)
	return p
}

// saxpy is y += a*x on a device, by descriptors, ready to be recorded.
type saxpy struct {
	x, y *driver.Allocation
	cmd  driver.Command
	n    int
}

func newSaxpy(t testing.TB, d *driver.Device, n int, a float32) *saxpy {
	t.Helper()
	s := &saxpy{x: alloc(t, d, 4*n, driver.DeviceMemory), y: alloc(t, d, 4*n, driver.DeviceMemory), n: n}
	p := saxpyPipeline(t, d, a)
	set, err := d.NewDescriptorSet(p, []driver.BufferBinding{{Allocation: s.x}, {Allocation: s.y}})
	require.NoError(t, err)
	s.cmd = p.Dispatch(set, binary.LittleEndian.AppendUint32(nil, uint32(n)), (n+63)/64, 1, 1)
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	upload(t, d, s.x, ones)
	upload(t, d, s.y, make([]float32, n))
	return s
}

func (s *saxpy) require(t testing.TB, d *driver.Device, e driver.Epoch, want float32) {
	t.Helper()
	for i, v := range download(t, d, s.y, s.n, e) {
		if v != want {
			t.Fatalf("y[%d] = %v, want %v", i, v, want)
		}
	}
}

func record(t testing.TB, d *driver.Device, cmds ...driver.Command) *driver.CommandBuffer {
	t.Helper()
	cb, err := d.Record(cmds)
	require.NoError(t, err)
	return cb
}

func submit(t testing.TB, d *driver.Device, cbs ...*driver.CommandBuffer) driver.Epoch {
	t.Helper()
	e, err := d.Submit(cbs...)
	require.NoError(t, err)
	return e
}

func TestDevices(t *testing.T) {
	in := openInstance(t)
	for _, p := range in.Devices() {
		t.Logf("%+v", p)
		require.NotEmpty(t, p.Name)
		require.GreaterOrEqual(t, p.APIVersion, driver.Version(1, 1, 0))
		require.GreaterOrEqual(t, p.Limits.SharedMemory, uint32(16384))
		require.GreaterOrEqual(t, p.Limits.MaxWorkGroupInvocations, uint32(128))
		require.GreaterOrEqual(t, p.Limits.MaxAllocation, uint64(1<<30))
		require.NotEmpty(t, p.Heaps)
		require.NotEmpty(t, p.MemoryTypes)
		require.Positive(t, p.Subgroup.Size)
	}
	if heaps, ok := in.Budget(0); ok {
		require.Len(t, heaps, len(in.Devices()[0].Heaps))
	}
	_, err := in.OpenDevice(99, driver.DeviceOptions{})
	require.ErrorIs(t, err, driver.ErrNoDevice)
}

func TestTierEnables(t *testing.T) {
	for tier := 0; tier <= 3; tier++ {
		d := openDevice(t, driver.DeviceOptions{Tier: tier})
		has, on := d.Physical().Features, d.Features()
		require.Equal(t, has.Float64, on.Float64)
		require.Equal(t, has.BufferDeviceAddress && tier >= 1, on.BufferDeviceAddress)
		require.Equal(t, has.Float16 && tier >= 1, on.Float16)
		require.Equal(t, has.CooperativeMatrix && tier >= 2, on.CooperativeMatrix)
		require.Equal(t, has.FlexibleMatrices && tier >= 3, on.FlexibleMatrices)
		require.Equal(t, on.BufferDeviceAddress, alloc(t, d, 4, driver.DeviceMemory).Address != 0)
	}
}

func TestDispatchByDescriptors(t *testing.T) {
	for _, staging := range []bool{false, true} {
		d := openDevice(t, driver.DeviceOptions{ForceStaging: staging})
		s := newSaxpy(t, d, 1000, 2)
		e := submit(t, d, record(t, d, s.cmd))
		s.require(t, d, e, 2)
	}
}

func TestDispatchByAddress(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{Tier: 1})
	if !d.Features().BufferDeviceAddress {
		t.Skip("no buffer device address")
	}
	p, err := d.NewPipeline(driver.PipelineDesc{SPIRV: module(t, "saxpy_address"), PushConstantBytes: 24,
		Spec: []driver.SpecConstant{{ID: 0, Value: 32}, {ID: 1, Value: math.Float32bits(3)}}})
	require.NoError(t, err)
	const n = 777
	x, y := alloc(t, d, 4*n, driver.DeviceMemory), alloc(t, d, 4*n, driver.DeviceMemory)
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i)
	}
	upload(t, d, x, v)
	upload(t, d, y, v)
	push := binary.LittleEndian.AppendUint64(nil, x.Address)
	push = binary.LittleEndian.AppendUint64(push, y.Address)
	push = binary.LittleEndian.AppendUint32(push, n)
	e := submit(t, d, record(t, d, p.Dispatch(nil, push, (n+31)/32, 1, 1)))
	for i, got := range download(t, d, y, n, e) {
		require.Equal(t, 4*float32(i), got)
	}
}

func TestDynamicOffsets(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	p, err := d.NewPipeline(driver.PipelineDesc{SPIRV: module(t, "scale"),
		Bindings: []driver.BindingType{driver.StorageBufferDynamic, driver.StorageBufferDynamic, driver.UniformBufferDynamic}})
	require.NoError(t, err)
	a := d.Alignment()
	x, y, params := alloc(t, d, 2*a, driver.DeviceMemory), alloc(t, d, 2*a, driver.DeviceMemory), alloc(t, d, 2*a, driver.UploadMemory)
	set, err := d.NewDescriptorSet(p, []driver.BufferBinding{{x, 0, a}, {y, 0, a}, {params, 0, 8}})
	require.NoError(t, err)
	for i := range 2 {
		binary.LittleEndian.PutUint32(params.Mapped[i*a:], uint32(a/4))
		binary.LittleEndian.PutUint32(params.Mapped[i*a+4:], uint32(10+i))
	}
	require.NoError(t, params.Flush(0, 2*a))
	o, groups := uint32(a), (a/4+63)/64
	e := submit(t, d, record(t, d, driver.Fill(x, 0, a, 3), driver.Fill(x, a, a, 5), driver.Barrier(),
		p.Dispatch(set, nil, groups, 1, 1, 0, 0, o), p.Dispatch(set, nil, groups, 1, 1, o, o, 0)))
	b := make([]byte, 2*a)
	require.NoError(t, d.Download(background, b, y, 0, e))
	for i := 0; i < a; i += 4 {
		require.EqualValues(t, 33, binary.LittleEndian.Uint32(b[i:]))
		require.EqualValues(t, 50, binary.LittleEndian.Uint32(b[a+i:]))
	}
}

// Successive submits of one command buffer are ordered without barriers of the caller's.
func TestReplay(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	s := newSaxpy(t, d, 1000, 1)
	cb := record(t, d, s.cmd)
	before := d.Stats()
	var e driver.Epoch
	for range 1000 {
		e = submit(t, d, cb)
		require.NoError(t, d.Wait(background, e))
	}
	after := d.Stats()
	require.EqualValues(t, 1000, after.Submits-before.Submits)
	require.Equal(t, before.CommandBuffers, after.CommandBuffers)
	require.Equal(t, before.Allocs, after.Allocs)
	s.require(t, d, e, 1000)
}

func TestManyInFlight(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	s := newSaxpy(t, d, 5000, 1)
	var cbs []*driver.CommandBuffer
	for range 16 {
		cbs = append(cbs, record(t, d, s.cmd))
	}
	var e driver.Epoch
	for range 20 {
		for i := 0; i < len(cbs); i += 2 {
			e = submit(t, d, cbs[i], cbs[i+1])
		}
		require.NoError(t, d.Wait(background, e))
	}
	s.require(t, d, e, 320)
}

func TestBarrierHazard(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	s := newSaxpy(t, d, 10000, 1)
	var cmds []driver.Command
	for range 100 { // write after read after write, by dispatch and copy
		cmds = append(cmds, s.cmd, driver.Barrier(), driver.Copy(s.x, 0, s.y, 0, 40000), driver.Barrier(), driver.Fill(s.x, 0, 40000, math.Float32bits(1)), driver.Barrier())
	}
	e := submit(t, d, record(t, d, cmds...))
	s.require(t, d, e, 100)
}

func TestPending(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	s := newSaxpy(t, d, 1<<20, 1)
	cmds := make([]driver.Command, 0, 400)
	for range 200 {
		cmds = append(cmds, s.cmd, driver.Barrier())
	}
	cb := record(t, d, cmds...)
	_, err := d.Submit(cb, cb)
	require.ErrorIs(t, err, driver.ErrPending)
	e := submit(t, d, cb)
	if !d.Done(e) { // else the machine was quicker than the test
		if _, err := d.Submit(cb); err != nil {
			require.ErrorIs(t, err, driver.ErrPending)
		}
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	if err := d.Wait(ctx, e); err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	freed := false
	d.After(e, func() { freed = true })
	cb.Free()
	require.NoError(t, d.WaitIdle(background))
	require.True(t, freed)
	require.True(t, d.Done(e))
	_, err = d.Submit(cb)
	require.ErrorIs(t, err, driver.ErrClosed)
	require.Error(t, d.Wait(background, e+100))
}

func TestSubmitWaitDoesNotAllocate(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	s := newSaxpy(t, d, 64, 1)
	cb := record(t, d, s.cmd)
	n := testing.AllocsPerRun(200, func() {
		e, err := d.Submit(cb)
		if err == nil {
			err = d.Wait(background, e)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	require.Zero(t, n)
}

func TestTimestamps(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	ts, err := d.NewTimestamps(2)
	if err != nil {
		require.ErrorIs(t, err, driver.ErrUnsupported)
		t.Skip(err)
	}
	s := newSaxpy(t, d, 1<<20, 1)
	e := submit(t, d, record(t, d, ts.Write(0), s.cmd, ts.Write(1)))
	require.NoError(t, d.Wait(background, e))
	var ns [2]uint64
	require.NoError(t, ts.Read(ns[:]))
	require.Greater(t, ns[1], ns[0])
	require.Less(t, ns[1]-ns[0], uint64(60e9))
	ts.Free()
}

func TestRejects(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{})
	_, err := d.NewPipeline(driver.PipelineDesc{SPIRV: make([]uint32, 9)})
	require.Error(t, err)
	_, err = d.NewPipeline(driver.PipelineDesc{SPIRV: module(t, "saxpy"), PushConstantBytes: 132})
	require.ErrorIs(t, err, driver.ErrUnsupported)
	_, err = d.NewPipeline(driver.PipelineDesc{SPIRV: module(t, "saxpy"), RequiredSubgroupSize: 8})
	require.ErrorIs(t, err, driver.ErrUnsupported, "tier 0 has no subgroup size control")
	p := saxpyPipeline(t, d, 1)
	a := alloc(t, d, 1024, driver.DeviceMemory)
	_, err = d.NewDescriptorSet(p, []driver.BufferBinding{{Allocation: a}})
	require.Error(t, err)
	_, err = d.NewDescriptorSet(p, []driver.BufferBinding{{Allocation: a}, {Allocation: a, Offset: 1}})
	require.ErrorIs(t, err, driver.ErrUnsupported)
	_, err = d.NewDescriptorSet(p, []driver.BufferBinding{{Allocation: a}, {Allocation: a, Range: 2000}})
	require.Error(t, err)
	_, err = d.Record([]driver.Command{{}})
	require.Error(t, err)
	set, err := d.NewDescriptorSet(p, []driver.BufferBinding{{Allocation: a}, {Allocation: a}})
	require.NoError(t, err)
	if most := d.Limits().MaxWorkGroupCount[0]; most < math.MaxInt32 {
		_, err = d.Record([]driver.Command{p.Dispatch(set, make([]byte, 4), int(most)+1, 1, 1)})
		require.Error(t, err)
	}
	require.Panics(t, func() { p.Dispatch(nil, make([]byte, 4), 1, 1, 1) })
	require.Panics(t, func() { p.Dispatch(set, make([]byte, 8), 1, 1, 1) })
	require.Panics(t, func() { p.Dispatch(set, nil, 1, 1, 1, 256) })
	_, err = d.Upload(background, a, 1000, make([]byte, 100), 0)
	require.Error(t, err)
}

func TestSubgroupSize(t *testing.T) {
	d := openDevice(t, driver.DeviceOptions{Tier: 1})
	if !d.Features().SubgroupSizeControl || !d.Physical().Subgroup.SizeRequest {
		t.Skip("no subgroup size control")
	}
	p, err := d.NewPipeline(driver.PipelineDesc{
		SPIRV: module(t, "saxpy"), Spec: []driver.SpecConstant{{ID: 0, Value: 256}}, RequiredSubgroupSize: d.Physical().Subgroup.Max,
		FullSubgroups:     d.Features().FullSubgroups,
		PushConstantBytes: 4, Bindings: []driver.BindingType{driver.StorageBuffer, driver.StorageBuffer},
	})
	require.NoError(t, err)
	p.Free()
	p.Free()
}

func TestCloseTwiceAndFreeAfterClose(t *testing.T) {
	in := openInstance(t)
	d, err := in.OpenDevice(0, driver.DeviceOptions{})
	require.NoError(t, err)
	require.Error(t, in.Close(), "devices are open")
	s := newSaxpy(t, d, 10, 1)
	cb := record(t, d, s.cmd)
	set, err := d.NewDescriptorSet(saxpyPipeline(t, d, 1), []driver.BufferBinding{{Allocation: s.x}, {Allocation: s.y}})
	require.NoError(t, err)
	require.NoError(t, d.Close())
	require.NoError(t, d.Close())
	cb.Free()
	s.x.Free()
	set.Free()
	_, err = d.Submit(cb)
	require.ErrorIs(t, err, driver.ErrClosed)
	_, err = d.Alloc(1, driver.DeviceMemory)
	require.ErrorIs(t, err, driver.ErrClosed)
	require.Zero(t, d.Trim())
}

// The host's share of a run: one recorded command buffer of 64 words, submitted and waited for.
func BenchmarkSubmitWait(b *testing.B) {
	d := openDevice(b, driver.DeviceOptions{})
	s := newSaxpy(b, d, 64, 1)
	cb := record(b, d, s.cmd)
	b.ReportAllocs()
	for b.Loop() {
		e, err := d.Submit(cb)
		if err == nil {
			err = d.Wait(background, e)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// Recording 256 dispatches with a barrier after each; the time is for all.
func BenchmarkRecord(b *testing.B) {
	d := openDevice(b, driver.DeviceOptions{})
	s := newSaxpy(b, d, 64, 1)
	var cmds []driver.Command
	for range 256 {
		cmds = append(cmds, s.cmd, driver.Barrier())
	}
	cb := record(b, d, cmds...)
	b.ReportAllocs()
	for b.Loop() {
		if err := cb.Record(cmds); err != nil {
			b.Fatal(err)
		}
	}
}
