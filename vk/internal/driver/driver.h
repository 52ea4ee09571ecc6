// The C side of package driver: what Go calls. Everything is a flat struct or a scalar; pNext chains,
// arrays of structs and command recording stay in C. Functions return a VkResult, or an fx_status where
// more than one Vulkan call can fail.

#ifndef FORNAX_DRIVER_H
#define FORNAX_DRIVER_H

#include "vulkan_abi.h"

typedef struct { VkResult result; const char *call; } fx_status;

// What a physical device has, and, in fx_device, what was enabled. Order is free: Go reads by name.
typedef struct {
	uint8_t float64, int64, int16, float16, int8, storage16, storage8;
	uint8_t address, timeline, subgroup_size, full_subgroups, sync2, scalar_layout, subgroup_types, dot_product;
	uint8_t maintenance4, memory_model, memory_model_device, fault, coopmat, bfloat16, bfloat16_coopmat;
	uint8_t coopmat2_workgroup, coopmat2_flexible, coopmat2_per_element;
	uint8_t push_descriptor, float_controls, memory_budget, portability_subset;
} fx_features;

enum { FX_MAX_COOPMATS = 128 };

// Of flexible ones m, n and k are what sizes are multiples of, and invocations the workgroup that the scope wants.
typedef struct { uint32_t m, n, k; int32_t a, b, c, result, saturating, scope; uint32_t invocations; } fx_coopmat;

typedef struct {
	VkPhysicalDevice handle;
	uint32_t api_version; // the lower of the device's and the instance's
	int32_t queue_family; // -1: no compute queue
	uint32_t timestamp_bits;
	VkPhysicalDeviceProperties props;
	VkPhysicalDeviceMemoryProperties memory;
	fx_features has;
	uint8_t device_uuid[16], driver_uuid[16];
	char driver_name[256], driver_info[256];
	uint32_t subgroup_size, subgroup_min, subgroup_max, subgroup_ops, subgroup_stages, subgroup_size_stages, max_subgroups;
	uint64_t max_allocation, max_buffer;
	uint8_t signed_zero_inf_nan[3], denorm_preserve[3], denorm_flush[3], rte[3], rtz[3]; // f16, f32, f64
	uint32_t coopmat_count, flexible_count, flexible_max, flexible_shared;
	fx_coopmat coopmats[FX_MAX_COOPMATS], flexible[FX_MAX_COOPMATS];
} fx_physical;

typedef struct fx_instance fx_instance;
typedef struct fx_device fx_device;

// loader.c
void *fx_load(void); // vkGetInstanceProcAddr, or NULL; the library stays loaded
fx_status fx_instance_open(int validation, fx_instance **out);
void fx_instance_close(fx_instance *in);
VkInstance fx_instance_handle(fx_instance *in);
uint32_t fx_instance_version(fx_instance *in);
char *fx_instance_message(fx_instance *in);            // the oldest message, to be freed, or NULL
uint32_t fx_instance_messages_dropped(fx_instance *in); // how many did not fit since the last call
void *fx_instance_proc(fx_instance *in, const char *name);

// physical.c
VkResult fx_physical_count(fx_instance *in, uint32_t *n);
VkResult fx_physical_handles(fx_instance *in, uint32_t *n, VkPhysicalDevice *out);
VkResult fx_physical_query(fx_instance *in, VkPhysicalDevice h, fx_physical *out);
void fx_physical_budget(fx_instance *in, VkPhysicalDevice h, uint64_t budget[16], uint64_t usage[16]);
VkResult fx_device_create(fx_instance *in, const fx_physical *p, int tier, VkDevice *dev, fx_features *enabled);

// device.c
fx_status fx_device_open(fx_instance *in, const fx_physical *p, int tier, fx_device **out);
void fx_device_close(fx_device *d);
VkDevice fx_device_handle(fx_device *d);
fx_features fx_device_features(fx_device *d);
uint32_t fx_buffer_memory_types(fx_device *d);

typedef struct { VkBuffer buffer; VkDeviceMemory memory; uint64_t address; void *mapped; } fx_block;
fx_status fx_block_create(fx_device *d, uint64_t size, uint32_t type, int map, fx_block *out);
void fx_block_destroy(fx_device *d, VkBuffer buffer, VkDeviceMemory memory);
VkResult fx_flush(fx_device *d, VkDeviceMemory memory, uint64_t offset, uint64_t size);
VkResult fx_invalidate(fx_device *d, VkDeviceMemory memory, uint64_t offset, uint64_t size);

enum { FX_MAX_BINDINGS = 32 };

VkResult fx_cache_create(fx_device *d, const void *data, size_t size, VkPipelineCache *out);
VkResult fx_cache_data(fx_device *d, VkPipelineCache cache, size_t *size, void *data);
void fx_cache_destroy(fx_device *d, VkPipelineCache cache);
fx_status fx_layout_create(fx_device *d, const int32_t *types, uint32_t n, uint32_t push_bytes, VkDescriptorSetLayout *set, VkPipelineLayout *out);
void fx_layout_destroy(fx_device *d, VkDescriptorSetLayout set, VkPipelineLayout layout);
fx_status fx_pipeline_create(fx_device *d, VkPipelineCache cache, VkPipelineLayout layout, const uint32_t *code, size_t bytes,
    const char *entry, const uint32_t *spec, uint32_t spec_count, uint32_t subgroup_size, int full_subgroups, int base, VkPipeline *out);
void fx_pipeline_destroy(fx_device *d, VkPipeline p);

typedef struct { VkBuffer buffer; uint64_t offset, range; int32_t type; uint32_t pad; } fx_binding;
VkResult fx_descriptor_pool_create(fx_device *d, uint32_t sets, uint32_t per_type, VkDescriptorPool *out);
void fx_descriptor_pool_destroy(fx_device *d, VkDescriptorPool p);
VkResult fx_descriptor_set_create(fx_device *d, VkDescriptorPool p, VkDescriptorSetLayout layout, VkDescriptorSet *out);
void fx_descriptor_set_write(fx_device *d, VkDescriptorSet set, const fx_binding *b, uint32_t n);
void fx_descriptor_set_free(fx_device *d, VkDescriptorPool p, VkDescriptorSet set);

VkResult fx_timestamps_create(fx_device *d, uint32_t n, VkQueryPool *out);
VkResult fx_timestamps_read(fx_device *d, VkQueryPool q, uint32_t n, uint64_t *out);
void fx_timestamps_destroy(fx_device *d, VkQueryPool q);

// record.c
enum { FX_DISPATCH = 1, FX_COPY, FX_FILL, FX_BARRIER, FX_TIMESTAMP };
enum { FX_BARRIER_HOST = 1 };

// One command; driver.Command in Go has the same layout, and an init function compares the sizes.
typedef struct {
	uint32_t kind, push_bytes;
	uint64_t pipeline, layout, set; // timestamp: pipeline is the query pool
	uint64_t src, dst;
	uint64_t src_offset, dst_offset, size;
	uint32_t groups[3];
	uint32_t value; // fill: the word; timestamp: the index; barrier: flags
	uint32_t dynamic_count, dynamic[4], base[2], pad;
	uint32_t push[32];
} fx_command;

typedef struct { VkCommandPool pool; VkCommandBuffer buffer; } fx_commands;
fx_status fx_commands_create(fx_device *d, fx_commands *out);
void fx_commands_destroy(fx_device *d, VkCommandPool pool);
VkResult fx_record(fx_device *d, VkCommandPool pool, VkCommandBuffer buffer, const fx_command *c, size_t n);

VkResult fx_fence_create(fx_device *d, VkFence *out);
void fx_fence_destroy(fx_device *d, VkFence f);
VkResult fx_fence_reset(fx_device *d, VkFence f);
VkResult fx_fence_status(fx_device *d, VkFence f);
VkResult fx_fence_wait(fx_device *d, VkFence f, uint64_t timeout_ns);
VkResult fx_submit(fx_device *d, const VkCommandBuffer *buffers, uint32_t n, VkFence f);
VkResult fx_wait_idle(fx_device *d);
void fx_fault(fx_device *d, char *text, size_t bytes);

#endif
