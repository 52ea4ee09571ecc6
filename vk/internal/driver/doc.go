// Package driver is the raw Vulkan layer: instance, devices, memory, pipelines, recorded command buffers,
// submits. It knows nothing of tensors or programs; package vk, above it, does.
//
// # Binding
//
// vulkan-go is used for handle types, constants and scalar calls. Its struct and slice calls can free
// memory that the driver still reads, it stops at Vulkan 1.1.88, and it looks for the loader under the
// developers' file name only. So a few C files of ours find the loader, hand vkGetInstanceProcAddr to
// vulkan-go, resolve device functions with vkGetDeviceProcAddr (no trampoline), build every structure and
// chain, and record a whole list of commands in one cgo call. vulkan_abi.h declares the part of the Vulkan
// ABI that they need; no Vulkan header or library is needed to build. Without cgo, Open returns ErrNoCgo.
//
// # Objects
//
//	Instance ── PhysicalDevice (a description)
//	   └── Device ── one compute queue
//	         ├── Allocation      a piece of a buffer, cut from large blocks
//	         ├── Pipeline        module + specialization + layout (layouts are shared)
//	         ├── DescriptorSet   buffers for a pipeline, immutable
//	         ├── CommandBuffer   recorded once, submitted many times
//	         ├── Timestamps      device times
//	         └── Epoch           a number that names a submit
//
// A typical use:
//
//	in, err := driver.Open(driver.InstanceOptions{})
//	d, err := in.OpenDevice(0, driver.DeviceOptions{Tier: 1, CacheDir: dir})
//	x, err := d.Alloc(4*n, driver.DeviceMemory)
//	_, err = d.Upload(ctx, x, 0, bytes, 0)
//	p, err := d.NewPipeline(driver.PipelineDesc{SPIRV: words, PushConstantBytes: 4,
//		Bindings: []driver.BindingType{driver.StorageBuffer}})
//	set, err := d.NewDescriptorSet(p, []driver.BufferBinding{{Allocation: x}})
//	cb, err := d.Record([]driver.Command{p.Dispatch(set, push, groups, 1, 1)})
//	epoch, err := d.Submit(cb)                  // again and again
//	err = d.Download(ctx, bytes, x, 0, epoch)   // waits
//
// # Order and epochs
//
// There is one queue. Every Submit gets the next Epoch; epochs complete in order. Each command buffer
// starts with a full memory barrier (host writes included) and ends with one towards the host, so submits
// and transfers see each other's writes in submit order and need no barriers among them; inside a command
// buffer the caller puts a Barrier at each hazard. A recorded command buffer fixes everything: what
// changes between runs belongs in memory that it reads, such as a parameter block in mapped UploadMemory.
// A command buffer has one run in flight at most (ErrPending); to overlap runs, record several.
//
// The host writes mapped memory directly, after waiting for the epoch that last used it; Upload and
// Download take that epoch. Where DeviceMemory is not mapped they go through staging slots and the queue.
//
// # Ownership
//
// Whoever makes an object frees it; nothing is freed by the garbage collector. Free acts at once, and the
// caller knows that the device is done with the object; when it is not, d.After(epoch, x.Free) waits for it.
// CommandBuffer.Free alone may be called at any time. A Command holds handles only: pipelines, sets and
// allocations it names must outlive the last run of the command buffer it was recorded in. Device.Close
// frees what is left; Free after Close does nothing.
//
// # Goroutines
//
// Everything may be used from several goroutines at once, except: Close while other calls run, Record or
// Free of one CommandBuffer while another goroutine submits it, and touching the same bytes from two
// sides. No lock is held during a wait, and none during a compile of a pipeline.
//
// # Errors
//
// VkResults are errors of type Result, wrapped with the name of the call. Memory that is not there is a
// *MemoryError with the figures, which is ErrOutOfDeviceMemory (or ErrOutOfHostMemory). A lost device
// stays lost: every later call returns ErrDeviceLost, waits included; Close still works.
// DeviceOptions.FailAlloc and FailSubmit inject failures in tests.
//
// # Tests
//
// Tests run on whatever driver there is, lavapipe in CI, and skip where there is none unless
// FORNAX_REQUIRE_VULKAN=1. With FORNAX_VALIDATION=1 they run under the validation layer, synchronization
// validation on, and any message fails them. testdata/*.spv are compiled from the sources beside them:
//
//	glslc --target-env=vulkan1.1 -O -fshader-stage=comp saxpy.comp -o saxpy.spv
package driver
