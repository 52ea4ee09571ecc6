//go:build cgo

// Recording a flat list of commands, submitting, fences.

#include "table.h"

#include <string.h>

fx_status fx_commands_create(fx_device *d, fx_commands *out) {
	VkCommandPoolCreateInfo pi = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, NULL, 0, d->family};
	VkResult r = d->CreateCommandPool(d->handle, &pi, NULL, &out->pool);
	if (r != VK_SUCCESS) return (fx_status){r, "vkCreateCommandPool"};
	VkCommandBufferAllocateInfo bi = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, NULL, out->pool, 0, 1};
	r = d->AllocateCommandBuffers(d->handle, &bi, &out->buffer);
	if (r != VK_SUCCESS) {
		d->DestroyCommandPool(d->handle, out->pool, NULL);
		return (fx_status){r, "vkAllocateCommandBuffers"};
	}
	return (fx_status){VK_SUCCESS, NULL};
}

void fx_commands_destroy(fx_device *d, VkCommandPool pool) { d->DestroyCommandPool(d->handle, pool, NULL); }

enum {
	WORK_STAGES = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
	WORK_WRITES = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
	WORK_ACCESS = WORK_WRITES | VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_UNIFORM_READ_BIT,
	HOST_ACCESS = VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT,
};

static void barrier(fx_device *d, VkCommandBuffer b, int host_before, int host_after) {
	VkMemoryBarrier m = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, NULL, WORK_WRITES | (host_before ? VK_ACCESS_HOST_WRITE_BIT : 0),
	    WORK_ACCESS | (host_after ? HOST_ACCESS : 0)};
	d->CmdPipelineBarrier(b, WORK_STAGES | (host_before ? VK_PIPELINE_STAGE_HOST_BIT : 0),
	    WORK_STAGES | (host_after ? VK_PIPELINE_STAGE_HOST_BIT : 0), 0, 1, &m, 0, NULL, 0, NULL);
}

// The command buffer must not be pending. A barrier at the start orders it after everything submitted
// before and after host writes; one at the end makes what it wrote visible to the host.
VkResult fx_record(fx_device *d, VkCommandPool pool, VkCommandBuffer b, const fx_command *c, size_t n) {
	VkResult r = d->ResetCommandPool(d->handle, pool, 0);
	if (r != VK_SUCCESS) return r;
	VkCommandBufferBeginInfo begin = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, NULL, 0, NULL};
	r = d->BeginCommandBuffer(b, &begin);
	if (r != VK_SUCCESS) return r;
	for (size_t i = 0; i < n; i++)
		if (c[i].kind == FX_TIMESTAMP) d->CmdResetQueryPool(b, c[i].pipeline, c[i].value, 1);
	barrier(d, b, 1, 0);

	uint64_t pipeline = 0, layout = 0, set = 0;
	const fx_command *pushed = NULL;
	for (; n; n--, c++) {
		switch (c->kind) {
		case FX_DISPATCH:
			if (c->layout != layout) set = 0, pushed = NULL;
			layout = c->layout;
			if (c->pipeline != pipeline) d->CmdBindPipeline(b, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline = c->pipeline);
			if (c->set && (c->set != set || c->dynamic_count))
				d->CmdBindDescriptorSets(b, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &c->set, c->dynamic_count, c->dynamic), set = c->set;
			if (c->push_bytes && !(pushed && pushed->push_bytes >= c->push_bytes && !memcmp(pushed->push, c->push, c->push_bytes)))
				d->CmdPushConstants(b, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, c->push_bytes, c->push), pushed = c;
			if (c->base[0] || c->base[1])
				d->CmdDispatchBase(b, c->base[0], c->base[1], 0, c->groups[0], c->groups[1], c->groups[2]);
			else
				d->CmdDispatch(b, c->groups[0], c->groups[1], c->groups[2]);
			break;
		case FX_COPY: {
			VkBufferCopy region = {c->src_offset, c->dst_offset, c->size};
			d->CmdCopyBuffer(b, c->src, c->dst, 1, &region);
			break;
		}
		case FX_FILL:
			d->CmdFillBuffer(b, c->dst, c->dst_offset, c->size, c->value);
			break;
		case FX_BARRIER:
			barrier(d, b, 0, c->value & FX_BARRIER_HOST);
			break;
		case FX_TIMESTAMP:
			d->CmdWriteTimestamp(b, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, c->pipeline, c->value);
			break;
		}
	}
	barrier(d, b, 0, 1);
	return d->EndCommandBuffer(b);
}

VkResult fx_fence_create(fx_device *d, VkFence *out) {
	VkFenceCreateInfo info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, NULL, 0};
	return d->CreateFence(d->handle, &info, NULL, out);
}

void fx_fence_destroy(fx_device *d, VkFence f) { d->DestroyFence(d->handle, f, NULL); }
VkResult fx_fence_reset(fx_device *d, VkFence f) { return d->ResetFences(d->handle, 1, &f); }
VkResult fx_fence_status(fx_device *d, VkFence f) { return d->GetFenceStatus(d->handle, f); }
VkResult fx_fence_wait(fx_device *d, VkFence f, uint64_t timeout_ns) { return d->WaitForFences(d->handle, 1, &f, 1, timeout_ns); }

// One vkQueueSubmit; the caller serialises.
VkResult fx_submit(fx_device *d, const VkCommandBuffer *buffers, uint32_t n, VkFence f) {
	VkSubmitInfo info = {VK_STRUCTURE_TYPE_SUBMIT_INFO, NULL, 0, NULL, NULL, n, buffers, 0, NULL};
	return d->QueueSubmit(d->queue, 1, &info, f);
}

VkResult fx_wait_idle(fx_device *d) { return d->DeviceWaitIdle(d->handle); }
