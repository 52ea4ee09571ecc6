// Function tables: one list gives the member, its type and the name to resolve.

#ifndef FORNAX_TABLE_H
#define FORNAX_TABLE_H

#include "driver.h"

typedef void(VKAPI_PTR *PFN_vkVoidFunction)(void);
typedef PFN_vkVoidFunction(VKAPI_PTR *PFN_vkGetInstanceProcAddr)(VkInstance, const char *);
typedef PFN_vkVoidFunction(VKAPI_PTR *PFN_vkGetDeviceProcAddr)(VkDevice, const char *);

// X(return type, name without vk, parameters)
#define FX_INSTANCE_FUNCTIONS(X) \
	X(void, DestroyInstance, (VkInstance, const void *)) \
	X(VkResult, EnumeratePhysicalDevices, (VkInstance, uint32_t *, VkPhysicalDevice *)) \
	X(VkResult, EnumerateDeviceExtensionProperties, (VkPhysicalDevice, const char *, uint32_t *, VkExtensionProperties *)) \
	X(void, GetPhysicalDeviceProperties, (VkPhysicalDevice, VkPhysicalDeviceProperties *)) \
	X(VkResult, CreateDevice, (VkPhysicalDevice, const VkDeviceCreateInfo *, const void *, VkDevice *)) \
	X(PFN_vkVoidFunction, GetDeviceProcAddr, (VkDevice, const char *))

// Absent from a Vulkan 1.0 driver, or from a driver without the extension.
#define FX_INSTANCE_OPTIONAL(X) \
	X(void, GetPhysicalDeviceProperties2, (VkPhysicalDevice, VkPhysicalDeviceProperties2 *)) \
	X(void, GetPhysicalDeviceFeatures2, (VkPhysicalDevice, VkPhysicalDeviceFeatures2 *)) \
	X(void, GetPhysicalDeviceMemoryProperties2, (VkPhysicalDevice, VkPhysicalDeviceMemoryProperties2 *)) \
	X(void, GetPhysicalDeviceQueueFamilyProperties2, (VkPhysicalDevice, uint32_t *, VkQueueFamilyProperties2 *)) \
	X(VkResult, GetPhysicalDeviceCooperativeMatrixPropertiesKHR, (VkPhysicalDevice, uint32_t *, VkCooperativeMatrixPropertiesKHR *)) \
	X(VkResult, GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV, (VkPhysicalDevice, uint32_t *, VkCooperativeMatrixFlexibleDimensionsPropertiesNV *)) \
	X(VkResult, CreateDebugUtilsMessengerEXT, (VkInstance, const VkDebugUtilsMessengerCreateInfoEXT *, const void *, VkDebugUtilsMessengerEXT *)) \
	X(void, DestroyDebugUtilsMessengerEXT, (VkInstance, VkDebugUtilsMessengerEXT, const void *))

#define FX_DEVICE_FUNCTIONS(X) \
	X(void, DestroyDevice, (VkDevice, const void *)) \
	X(void, GetDeviceQueue, (VkDevice, uint32_t, uint32_t, VkQueue *)) \
	X(VkResult, QueueSubmit, (VkQueue, uint32_t, const VkSubmitInfo *, VkFence)) \
	X(VkResult, DeviceWaitIdle, (VkDevice)) \
	X(VkResult, AllocateMemory, (VkDevice, const VkMemoryAllocateInfo *, const void *, VkDeviceMemory *)) \
	X(void, FreeMemory, (VkDevice, VkDeviceMemory, const void *)) \
	X(VkResult, MapMemory, (VkDevice, VkDeviceMemory, VkDeviceSize, VkDeviceSize, VkFlags, void **)) \
	X(VkResult, FlushMappedMemoryRanges, (VkDevice, uint32_t, const VkMappedMemoryRange *)) \
	X(VkResult, InvalidateMappedMemoryRanges, (VkDevice, uint32_t, const VkMappedMemoryRange *)) \
	X(VkResult, CreateBuffer, (VkDevice, const VkBufferCreateInfo *, const void *, VkBuffer *)) \
	X(void, DestroyBuffer, (VkDevice, VkBuffer, const void *)) \
	X(void, GetBufferMemoryRequirements, (VkDevice, VkBuffer, VkMemoryRequirements *)) \
	X(VkResult, BindBufferMemory, (VkDevice, VkBuffer, VkDeviceMemory, VkDeviceSize)) \
	X(VkResult, CreateShaderModule, (VkDevice, const VkShaderModuleCreateInfo *, const void *, VkShaderModule *)) \
	X(void, DestroyShaderModule, (VkDevice, VkShaderModule, const void *)) \
	X(VkResult, CreateDescriptorSetLayout, (VkDevice, const VkDescriptorSetLayoutCreateInfo *, const void *, VkDescriptorSetLayout *)) \
	X(void, DestroyDescriptorSetLayout, (VkDevice, VkDescriptorSetLayout, const void *)) \
	X(VkResult, CreatePipelineLayout, (VkDevice, const VkPipelineLayoutCreateInfo *, const void *, VkPipelineLayout *)) \
	X(void, DestroyPipelineLayout, (VkDevice, VkPipelineLayout, const void *)) \
	X(VkResult, CreatePipelineCache, (VkDevice, const VkPipelineCacheCreateInfo *, const void *, VkPipelineCache *)) \
	X(void, DestroyPipelineCache, (VkDevice, VkPipelineCache, const void *)) \
	X(VkResult, GetPipelineCacheData, (VkDevice, VkPipelineCache, size_t *, void *)) \
	X(VkResult, CreateComputePipelines, (VkDevice, VkPipelineCache, uint32_t, const VkComputePipelineCreateInfo *, const void *, VkPipeline *)) \
	X(void, DestroyPipeline, (VkDevice, VkPipeline, const void *)) \
	X(VkResult, CreateDescriptorPool, (VkDevice, const VkDescriptorPoolCreateInfo *, const void *, VkDescriptorPool *)) \
	X(void, DestroyDescriptorPool, (VkDevice, VkDescriptorPool, const void *)) \
	X(VkResult, AllocateDescriptorSets, (VkDevice, const VkDescriptorSetAllocateInfo *, VkDescriptorSet *)) \
	X(VkResult, FreeDescriptorSets, (VkDevice, VkDescriptorPool, uint32_t, const VkDescriptorSet *)) \
	X(void, UpdateDescriptorSets, (VkDevice, uint32_t, const VkWriteDescriptorSet *, uint32_t, const void *)) \
	X(VkResult, CreateQueryPool, (VkDevice, const VkQueryPoolCreateInfo *, const void *, VkQueryPool *)) \
	X(void, DestroyQueryPool, (VkDevice, VkQueryPool, const void *)) \
	X(VkResult, GetQueryPoolResults, (VkDevice, VkQueryPool, uint32_t, uint32_t, size_t, void *, VkDeviceSize, VkFlags)) \
	X(VkResult, CreateFence, (VkDevice, const VkFenceCreateInfo *, const void *, VkFence *)) \
	X(void, DestroyFence, (VkDevice, VkFence, const void *)) \
	X(VkResult, ResetFences, (VkDevice, uint32_t, const VkFence *)) \
	X(VkResult, GetFenceStatus, (VkDevice, VkFence)) \
	X(VkResult, WaitForFences, (VkDevice, uint32_t, const VkFence *, VkBool32, uint64_t)) \
	X(VkResult, CreateCommandPool, (VkDevice, const VkCommandPoolCreateInfo *, const void *, VkCommandPool *)) \
	X(void, DestroyCommandPool, (VkDevice, VkCommandPool, const void *)) \
	X(VkResult, ResetCommandPool, (VkDevice, VkCommandPool, VkFlags)) \
	X(VkResult, AllocateCommandBuffers, (VkDevice, const VkCommandBufferAllocateInfo *, VkCommandBuffer *)) \
	X(VkResult, BeginCommandBuffer, (VkCommandBuffer, const VkCommandBufferBeginInfo *)) \
	X(VkResult, EndCommandBuffer, (VkCommandBuffer)) \
	X(void, CmdBindPipeline, (VkCommandBuffer, int32_t, VkPipeline)) \
	X(void, CmdBindDescriptorSets, (VkCommandBuffer, int32_t, VkPipelineLayout, uint32_t, uint32_t, const VkDescriptorSet *, uint32_t, const uint32_t *)) \
	X(void, CmdPushConstants, (VkCommandBuffer, VkPipelineLayout, VkFlags, uint32_t, uint32_t, const void *)) \
	X(void, CmdDispatch, (VkCommandBuffer, uint32_t, uint32_t, uint32_t)) \
	X(void, CmdDispatchBase, (VkCommandBuffer, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t)) \
	X(void, CmdCopyBuffer, (VkCommandBuffer, VkBuffer, VkBuffer, uint32_t, const VkBufferCopy *)) \
	X(void, CmdFillBuffer, (VkCommandBuffer, VkBuffer, VkDeviceSize, VkDeviceSize, uint32_t)) \
	X(void, CmdPipelineBarrier, (VkCommandBuffer, VkFlags, VkFlags, VkFlags, uint32_t, const VkMemoryBarrier *, uint32_t, const void *, uint32_t, const void *)) \
	X(void, CmdResetQueryPool, (VkCommandBuffer, VkQueryPool, uint32_t, uint32_t)) \
	X(void, CmdWriteTimestamp, (VkCommandBuffer, VkFlags, VkQueryPool, uint32_t))

#define FX_MEMBER(ret, name, params) ret(VKAPI_PTR *name) params;

struct fx_instance {
	VkInstance handle;
	uint32_t version;
	PFN_vkGetInstanceProcAddr proc;
	VkDebugUtilsMessengerEXT messenger;
	struct fx_messages *messages;
	FX_INSTANCE_FUNCTIONS(FX_MEMBER)
	FX_INSTANCE_OPTIONAL(FX_MEMBER)
};

struct fx_device {
	VkDevice handle;
	VkQueue queue;
	uint32_t family;
	fx_features on;
	FX_DEVICE_FUNCTIONS(FX_MEMBER)
	// vkGetBufferDeviceAddress, or its KHR name; NULL unless features.address
	uint64_t(VKAPI_PTR *GetBufferDeviceAddress)(VkDevice, const VkBufferDeviceAddressInfo *);
	VkResult(VKAPI_PTR *GetDeviceFaultInfoEXT)(VkDevice, VkDeviceFaultCountsEXT *, VkDeviceFaultInfoEXT *); // NULL unless features.fault
};

#endif
