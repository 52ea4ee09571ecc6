//go:build cgo

// A logical device: memory blocks, layouts, pipelines, descriptor sets, query pools.

#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const fx_status ok = {VK_SUCCESS, NULL};

static fx_status fail(VkResult r, const char *call) { return (fx_status){r, call}; }

fx_status fx_device_open(fx_instance *in, const fx_physical *p, int tier, fx_device **out) {
	fx_device *d = calloc(1, sizeof *d);
	if (!d) return fail(VK_ERROR_OUT_OF_HOST_MEMORY, "calloc");
	VkResult r = fx_device_create(in, p, tier, &d->handle, &d->on);
	if (r != VK_SUCCESS) {
		free(d);
		return fail(r, "vkCreateDevice");
	}
	const char *missing = NULL;
#define LOAD(ret, name, params) \
	d->name = (ret(VKAPI_PTR *) params)in->GetDeviceProcAddr(d->handle, "vk" #name); \
	if (!d->name) missing = "vk" #name;
	FX_DEVICE_FUNCTIONS(LOAD)
	if (d->on.address) {
		typedef uint64_t(VKAPI_PTR * address)(VkDevice, const VkBufferDeviceAddressInfo *);
		d->GetBufferDeviceAddress = (address)in->GetDeviceProcAddr(d->handle, "vkGetBufferDeviceAddress");
		if (!d->GetBufferDeviceAddress)
			d->GetBufferDeviceAddress = (address)in->GetDeviceProcAddr(d->handle, "vkGetBufferDeviceAddressKHR");
		if (!d->GetBufferDeviceAddress) missing = "vkGetBufferDeviceAddress";
	}
	if (d->on.fault) {
		typedef VkResult(VKAPI_PTR * fault)(VkDevice, VkDeviceFaultCountsEXT *, VkDeviceFaultInfoEXT *);
		d->GetDeviceFaultInfoEXT = (fault)in->GetDeviceProcAddr(d->handle, "vkGetDeviceFaultInfoEXT");
		d->on.fault = d->GetDeviceFaultInfoEXT != NULL;
	}
	if (missing) {
		if (d->DestroyDevice) d->DestroyDevice(d->handle, NULL);
		free(d);
		return fail(VK_ERROR_INITIALIZATION_FAILED, missing);
	}
	d->family = (uint32_t)p->queue_family;
	d->GetDeviceQueue(d->handle, d->family, 0, &d->queue);
	*out = d;
	return ok;
}

// What the driver knows of why the device was lost, as text; empty where it does not tell.
void fx_fault(fx_device *d, char *text, size_t bytes) {
	text[0] = 0;
	if (!d->on.fault) return;
	VkDeviceFaultCountsEXT counts = {VK_STRUCTURE_TYPE_DEVICE_FAULT_COUNTS_EXT, NULL, 0, 0, 0};
	if (d->GetDeviceFaultInfoEXT(d->handle, &counts, NULL) < 0) return;
	enum { MOST = 8 };
	VkDeviceFaultAddressInfoEXT addresses[MOST];
	VkDeviceFaultVendorInfoEXT vendors[MOST];
	if (counts.addressInfoCount > MOST) counts.addressInfoCount = MOST;
	if (counts.vendorInfoCount > MOST) counts.vendorInfoCount = MOST;
	counts.vendorBinarySize = 0;
	VkDeviceFaultInfoEXT info = {VK_STRUCTURE_TYPE_DEVICE_FAULT_INFO_EXT, NULL, {0}, addresses, vendors, NULL};
	if (d->GetDeviceFaultInfoEXT(d->handle, &counts, &info) < 0) return; // incomplete is no failure
	static const char *const types[] = {"none", "invalid read", "invalid write", "invalid execution", "instruction, unknown", "instruction, invalid", "instruction fault"};
	size_t n = (size_t)snprintf(text, bytes, "%.255s", info.description);
	for (uint32_t i = 0; i < counts.addressInfoCount && n < bytes; i++) {
		int32_t t = addresses[i].addressType;
		n += (size_t)snprintf(text + n, bytes - n, "; %s at %#llx, within %llu bytes", t >= 0 && t < 7 ? types[t] : "fault",
		    (unsigned long long)addresses[i].reportedAddress, (unsigned long long)addresses[i].addressPrecision);
	}
	for (uint32_t i = 0; i < counts.vendorInfoCount && n < bytes; i++)
		n += (size_t)snprintf(text + n, bytes - n, "; %.255s, code %#llx, data %#llx", vendors[i].description,
		    (unsigned long long)vendors[i].vendorFaultCode, (unsigned long long)vendors[i].vendorFaultData);
}

void fx_device_close(fx_device *d) {
	d->DestroyDevice(d->handle, NULL);
	free(d);
}

VkDevice fx_device_handle(fx_device *d) { return d->handle; }
fx_features fx_device_features(fx_device *d) { return d->on; }

// Memory: a block is one buffer over one memory object, mapped for its whole life where asked for.

static VkBufferCreateInfo buffer_info(fx_device *d, uint64_t size) {
	VkBufferCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, NULL, 0, size,
	    VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
	        VK_BUFFER_USAGE_TRANSFER_DST_BIT, 0, 0, NULL};
	if (d->on.address) info.usage |= VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
	return info;
}

// The memory types that may back a block: the same for every size, says the specification. 0 on failure.
uint32_t fx_buffer_memory_types(fx_device *d) {
	VkBufferCreateInfo info = buffer_info(d, 65536);
	VkMemoryRequirements need;
	VkBuffer b;
	if (d->CreateBuffer(d->handle, &info, NULL, &b) != VK_SUCCESS) return 0;
	d->GetBufferMemoryRequirements(d->handle, b, &need);
	d->DestroyBuffer(d->handle, b, NULL);
	return need.memoryTypeBits;
}

fx_status fx_block_create(fx_device *d, uint64_t size, uint32_t type, int map, fx_block *out) {
	fx_block b = {0, 0, 0, NULL};
	VkBufferCreateInfo info = buffer_info(d, size);
	const char *call = "vkCreateBuffer";
	VkResult r = d->CreateBuffer(d->handle, &info, NULL, &b.buffer);
	if (r == VK_SUCCESS) {
		VkMemoryRequirements need;
		d->GetBufferMemoryRequirements(d->handle, b.buffer, &need);
		VkMemoryAllocateFlagsInfo flags = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, NULL, VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, 0};
		VkMemoryAllocateInfo alloc = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, d->on.address ? &flags : NULL, need.size, type};
		call = "vkAllocateMemory";
		r = d->AllocateMemory(d->handle, &alloc, NULL, &b.memory);
	}
	if (r == VK_SUCCESS) {
		call = "vkBindBufferMemory";
		r = d->BindBufferMemory(d->handle, b.buffer, b.memory, 0);
	}
	if (r == VK_SUCCESS && map) {
		call = "vkMapMemory";
		r = d->MapMemory(d->handle, b.memory, 0, ~(uint64_t)0, 0, &b.mapped);
	}
	if (r != VK_SUCCESS) {
		fx_block_destroy(d, b.buffer, b.memory);
		return fail(r, call);
	}
	if (d->on.address) {
		VkBufferDeviceAddressInfo ai = {VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO, NULL, b.buffer};
		b.address = d->GetBufferDeviceAddress(d->handle, &ai);
	}
	*out = b;
	return ok;
}

void fx_block_destroy(fx_device *d, VkBuffer buffer, VkDeviceMemory memory) {
	if (buffer) d->DestroyBuffer(d->handle, buffer, NULL);
	if (memory) d->FreeMemory(d->handle, memory, NULL);
}

VkResult fx_flush(fx_device *d, VkDeviceMemory memory, uint64_t offset, uint64_t size) {
	VkMappedMemoryRange r = {VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, NULL, memory, offset, size};
	return d->FlushMappedMemoryRanges(d->handle, 1, &r);
}

VkResult fx_invalidate(fx_device *d, VkDeviceMemory memory, uint64_t offset, uint64_t size) {
	VkMappedMemoryRange r = {VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, NULL, memory, offset, size};
	return d->InvalidateMappedMemoryRanges(d->handle, 1, &r);
}

// Pipelines

VkResult fx_cache_create(fx_device *d, const void *data, size_t size, VkPipelineCache *out) {
	VkPipelineCacheCreateInfo info = {VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, NULL, 0, size, size ? data : NULL};
	return d->CreatePipelineCache(d->handle, &info, NULL, out);
}

VkResult fx_cache_data(fx_device *d, VkPipelineCache cache, size_t *size, void *data) {
	return d->GetPipelineCacheData(d->handle, cache, size, data);
}

void fx_cache_destroy(fx_device *d, VkPipelineCache cache) { d->DestroyPipelineCache(d->handle, cache, NULL); }

// With n = 0 the set layout is 0 and the pipeline layout has no sets.
fx_status fx_layout_create(fx_device *d, const int32_t *types, uint32_t n, uint32_t push_bytes, VkDescriptorSetLayout *set, VkPipelineLayout *out) {
	VkDescriptorSetLayoutBinding b[FX_MAX_BINDINGS];
	*set = 0;
	if (n) {
		for (uint32_t i = 0; i < n; i++)
			b[i] = (VkDescriptorSetLayoutBinding){i, types[i], 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
		VkDescriptorSetLayoutCreateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, NULL, 0, n, b};
		VkResult r = d->CreateDescriptorSetLayout(d->handle, &info, NULL, set);
		if (r != VK_SUCCESS) return fail(r, "vkCreateDescriptorSetLayout");
	}
	VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes};
	VkPipelineLayoutCreateInfo info = {VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, NULL, 0, n != 0, set, push_bytes != 0, &push};
	VkResult r = d->CreatePipelineLayout(d->handle, &info, NULL, out);
	if (r != VK_SUCCESS) {
		if (*set) d->DestroyDescriptorSetLayout(d->handle, *set, NULL);
		return fail(r, "vkCreatePipelineLayout");
	}
	return ok;
}

void fx_layout_destroy(fx_device *d, VkDescriptorSetLayout set, VkPipelineLayout layout) {
	d->DestroyPipelineLayout(d->handle, layout, NULL);
	if (set) d->DestroyDescriptorSetLayout(d->handle, set, NULL);
}

// spec holds spec_count pairs (constant id, 32-bit value).
fx_status fx_pipeline_create(fx_device *d, VkPipelineCache cache, VkPipelineLayout layout, const uint32_t *code, size_t bytes,
    const char *entry, const uint32_t *spec, uint32_t spec_count, uint32_t subgroup_size, int full_subgroups, int base,
    VkPipeline *out) {
	*out = 0;
	VkSpecializationMapEntry *map = NULL;
	if (spec_count && !(map = calloc(spec_count, sizeof *map))) return fail(VK_ERROR_OUT_OF_HOST_MEMORY, "calloc");
	for (uint32_t i = 0; i < spec_count; i++) map[i] = (VkSpecializationMapEntry){spec[2 * i], 8 * i + 4, 4};
	VkSpecializationInfo si = {spec_count, map, (size_t)spec_count * 8, spec};
	VkShaderModuleCreateInfo mi = {VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, NULL, 0, bytes, code};
	VkShaderModule module = 0;
	fx_status s = ok;
	VkResult r = d->CreateShaderModule(d->handle, &mi, NULL, &module);
	if (r != VK_SUCCESS) {
		s = fail(r, "vkCreateShaderModule");
	} else {
		VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size = {
		    VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO, NULL, subgroup_size};
		VkComputePipelineCreateInfo info = {VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO, NULL,
		    base ? VK_PIPELINE_CREATE_DISPATCH_BASE_BIT : 0,
		    {VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, subgroup_size ? &size : NULL,
		        full_subgroups ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT : 0, VK_SHADER_STAGE_COMPUTE_BIT, module,
		        entry, spec_count ? &si : NULL}, layout, 0, -1};
		r = d->CreateComputePipelines(d->handle, cache, 1, &info, NULL, out);
		if (r != VK_SUCCESS)
			s = fail(r, "vkCreateComputePipelines");
		else if (!*out) // seen on Adreno: success without a pipeline
			s = fail(VK_ERROR_INITIALIZATION_FAILED, "vkCreateComputePipelines");
		d->DestroyShaderModule(d->handle, module, NULL);
	}
	free(map);
	return s;
}

void fx_pipeline_destroy(fx_device *d, VkPipeline p) { d->DestroyPipeline(d->handle, p, NULL); }

// Descriptor sets. Types are uniform 6, storage 7, uniform dynamic 8, storage dynamic 9.

VkResult fx_descriptor_pool_create(fx_device *d, uint32_t sets, uint32_t per_type, VkDescriptorPool *out) {
	VkDescriptorPoolSize sizes[] = {{7, 8 * per_type}, {6, per_type}, {8, per_type}, {9, per_type}};
	VkDescriptorPoolCreateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, NULL,
	    VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT, sets, 4, sizes};
	return d->CreateDescriptorPool(d->handle, &info, NULL, out);
}

void fx_descriptor_pool_destroy(fx_device *d, VkDescriptorPool p) { d->DestroyDescriptorPool(d->handle, p, NULL); }

VkResult fx_descriptor_set_create(fx_device *d, VkDescriptorPool p, VkDescriptorSetLayout layout, VkDescriptorSet *out) {
	VkDescriptorSetAllocateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, NULL, p, 1, &layout};
	return d->AllocateDescriptorSets(d->handle, &info, out);
}

void fx_descriptor_set_write(fx_device *d, VkDescriptorSet set, const fx_binding *b, uint32_t n) {
	VkDescriptorBufferInfo buf[FX_MAX_BINDINGS];
	VkWriteDescriptorSet w[FX_MAX_BINDINGS];
	for (uint32_t i = 0; i < n; i++) {
		buf[i] = (VkDescriptorBufferInfo){b[i].buffer, b[i].offset, b[i].range};
		w[i] = (VkWriteDescriptorSet){VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, NULL, set, i, 0, 1, b[i].type, NULL, &buf[i], NULL};
	}
	d->UpdateDescriptorSets(d->handle, n, w, 0, NULL);
}

void fx_descriptor_set_free(fx_device *d, VkDescriptorPool p, VkDescriptorSet set) { d->FreeDescriptorSets(d->handle, p, 1, &set); }

// Timestamps

VkResult fx_timestamps_create(fx_device *d, uint32_t n, VkQueryPool *out) {
	VkQueryPoolCreateInfo info = {VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, NULL, 0, VK_QUERY_TYPE_TIMESTAMP, n, 0};
	return d->CreateQueryPool(d->handle, &info, NULL, out);
}

VkResult fx_timestamps_read(fx_device *d, VkQueryPool q, uint32_t n, uint64_t *out) {
	return d->GetQueryPoolResults(d->handle, q, 0, n, (size_t)n * 8, out, 8, VK_QUERY_RESULT_64_BIT);
}

void fx_timestamps_destroy(fx_device *d, VkQueryPool q) { d->DestroyQueryPool(d->handle, q, NULL); }
