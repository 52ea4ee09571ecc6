// The part of the Vulkan ABI that this package calls, declared by hand: a user's machine need not
// have Vulkan headers, and those that vulkan-go carries end at 1.1.88. Names, values and layouts are
// those of the Vulkan specification; runs of fields that nobody here reads are grouped into arrays.
// Non-dispatchable handles are uint64_t on every platform, which is their ABI on 32 and 64 bits alike.

#ifndef FORNAX_VULKAN_ABI_H
#define FORNAX_VULKAN_ABI_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define VKAPI_PTR __stdcall
#else
#define VKAPI_PTR
#endif

typedef uint32_t VkBool32;
typedef uint32_t VkFlags;
typedef uint64_t VkDeviceSize;
typedef int32_t VkResult;
typedef int32_t VkStructureType;

typedef struct VkInstance_T *VkInstance;
typedef struct VkPhysicalDevice_T *VkPhysicalDevice;
typedef struct VkDevice_T *VkDevice;
typedef struct VkQueue_T *VkQueue;
typedef struct VkCommandBuffer_T *VkCommandBuffer;
typedef uint64_t VkBuffer, VkDeviceMemory, VkFence, VkSemaphore, VkQueryPool, VkShaderModule, VkPipeline,
    VkPipelineLayout, VkPipelineCache, VkDescriptorSetLayout, VkDescriptorPool, VkDescriptorSet, VkSampler,
    VkBufferView, VkCommandPool, VkDebugUtilsMessengerEXT;

#define VK_MAKE_VERSION(a, b, c) (((uint32_t)(a) << 22) | ((uint32_t)(b) << 12) | (uint32_t)(c))

enum {
	VK_SUCCESS = 0,
	VK_NOT_READY = 1,
	VK_TIMEOUT = 2,
	VK_INCOMPLETE = 5,
	VK_ERROR_OUT_OF_HOST_MEMORY = -1,
	VK_ERROR_OUT_OF_DEVICE_MEMORY = -2,
	VK_ERROR_INITIALIZATION_FAILED = -3,
	VK_ERROR_DEVICE_LOST = -4,
	VK_ERROR_LAYER_NOT_PRESENT = -6,
	VK_ERROR_EXTENSION_NOT_PRESENT = -7,
	VK_ERROR_INCOMPATIBLE_DRIVER = -9,
};

// VkStructureType
enum {
	VK_STRUCTURE_TYPE_APPLICATION_INFO = 0,
	VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO = 1,
	VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO = 2,
	VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO = 3,
	VK_STRUCTURE_TYPE_SUBMIT_INFO = 4,
	VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO = 5,
	VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE = 6,
	VK_STRUCTURE_TYPE_FENCE_CREATE_INFO = 8,
	VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO = 11,
	VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO = 12,
	VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO = 16,
	VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO = 17,
	VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO = 18,
	VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO = 29,
	VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO = 30,
	VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO = 32,
	VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO = 33,
	VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO = 34,
	VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET = 35,
	VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO = 39,
	VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO = 40,
	VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO = 42,
	VK_STRUCTURE_TYPE_MEMORY_BARRIER = 46,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2 = 1000059000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2 = 1000059001,
	VK_STRUCTURE_TYPE_QUEUE_FAMILY_PROPERTIES_2 = 1000059005,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2 = 1000059006,
	VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO = 1000060000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES = 1000071004,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES = 1000082000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES = 1000083000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES = 1000094000,
	VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT = 1000128004,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_BFLOAT16_FEATURES_KHR = 1000141000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES = 1000168000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SUBGROUP_EXTENDED_TYPES_FEATURES = 1000175000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES = 1000177000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES = 1000196000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FLOAT_CONTROLS_PROPERTIES = 1000197000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES = 1000207000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES = 1000211000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SCALAR_BLOCK_LAYOUT_FEATURES = 1000221000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES = 1000225000,
	VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO = 1000225001,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES = 1000225002,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT = 1000237000,
	VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO = 1000244001,
	VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT = 1000247000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES = 1000257000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES = 1000280000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES = 1000314007,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FAULT_FEATURES_EXT = 1000341000,
	VK_STRUCTURE_TYPE_DEVICE_FAULT_COUNTS_EXT = 1000341001,
	VK_STRUCTURE_TYPE_DEVICE_FAULT_INFO_EXT = 1000341002,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_FEATURES = 1000413000,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES = 1000413001,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR = 1000506000,
	VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR = 1000506001,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_FEATURES_NV = 1000593000,
	VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FLEXIBLE_DIMENSIONS_PROPERTIES_NV = 1000593001,
	VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_PROPERTIES_NV = 1000593002,
};

// Flags
enum {
	VK_QUEUE_GRAPHICS_BIT = 1,
	VK_QUEUE_COMPUTE_BIT = 2,
	VK_BUFFER_USAGE_TRANSFER_SRC_BIT = 0x1,
	VK_BUFFER_USAGE_TRANSFER_DST_BIT = 0x2,
	VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT = 0x10,
	VK_BUFFER_USAGE_STORAGE_BUFFER_BIT = 0x20,
	VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT = 0x20000,
	VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT = 0x2,
	VK_SHADER_STAGE_COMPUTE_BIT = 0x20,
	VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT = 0x2,
	VK_PIPELINE_CREATE_DISPATCH_BASE_BIT = 0x10,
	VK_PIPELINE_BIND_POINT_COMPUTE = 1,
	VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT = 1,
	VK_QUERY_TYPE_TIMESTAMP = 2,
	VK_QUERY_RESULT_64_BIT = 1,
	VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT = 0x800,
	VK_PIPELINE_STAGE_TRANSFER_BIT = 0x1000,
	VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT = 0x2000,
	VK_PIPELINE_STAGE_HOST_BIT = 0x4000,
	VK_ACCESS_UNIFORM_READ_BIT = 0x8,
	VK_ACCESS_SHADER_READ_BIT = 0x20,
	VK_ACCESS_SHADER_WRITE_BIT = 0x40,
	VK_ACCESS_TRANSFER_READ_BIT = 0x800,
	VK_ACCESS_TRANSFER_WRITE_BIT = 0x1000,
	VK_ACCESS_HOST_READ_BIT = 0x2000,
	VK_ACCESS_HOST_WRITE_BIT = 0x4000,
	VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR = 1,
	VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT = 4,
	VK_DEBUG_SEVERITY_WARNING = 0x100,
	VK_DEBUG_SEVERITY_ERROR = 0x1000,
	VK_DEBUG_TYPE_VALIDATION = 0x2,
	VK_DEBUG_TYPE_PERFORMANCE = 0x4,
};

// Instance

typedef struct {
	VkStructureType sType; const void *pNext;
	const char *pApplicationName; uint32_t applicationVersion;
	const char *pEngineName; uint32_t engineVersion;
	uint32_t apiVersion;
} VkApplicationInfo;

typedef struct {
	VkStructureType sType; const void *pNext; VkFlags flags;
	const VkApplicationInfo *pApplicationInfo;
	uint32_t enabledLayerCount; const char *const *ppEnabledLayerNames;
	uint32_t enabledExtensionCount; const char *const *ppEnabledExtensionNames;
} VkInstanceCreateInfo;

typedef struct { char extensionName[256]; uint32_t specVersion; } VkExtensionProperties;

typedef struct {
	char layerName[256]; uint32_t specVersion, implementationVersion; char description[256];
} VkLayerProperties;

typedef struct {
	VkStructureType sType; const void *pNext;
	uint32_t enabledValidationFeatureCount; const int32_t *pEnabledValidationFeatures;
	uint32_t disabledValidationFeatureCount; const int32_t *pDisabledValidationFeatures;
} VkValidationFeaturesEXT;

typedef struct {
	VkStructureType sType; const void *pNext; VkFlags flags;
	const char *pMessageIdName; int32_t messageIdNumber; const char *pMessage;
	// labels and objects follow; they are not read
} VkDebugUtilsMessengerCallbackDataEXT;

typedef VkBool32(VKAPI_PTR *PFN_vkDebugUtilsMessengerCallbackEXT)(
    VkFlags severity, VkFlags types, const VkDebugUtilsMessengerCallbackDataEXT *data, void *user);

typedef struct {
	VkStructureType sType; const void *pNext; VkFlags flags;
	VkFlags messageSeverity, messageType;
	PFN_vkDebugUtilsMessengerCallbackEXT pfnUserCallback; void *pUserData;
} VkDebugUtilsMessengerCreateInfoEXT;

// Physical device

typedef struct {
	uint32_t image[6];
	uint32_t maxUniformBufferRange, maxStorageBufferRange, maxPushConstantsSize;
	uint32_t maxMemoryAllocationCount, maxSamplerAllocationCount;
	VkDeviceSize bufferImageGranularity, sparseAddressSpaceSize;
	uint32_t maxBoundDescriptorSets, maxPerStageDescriptorSamplers, maxPerStageDescriptorUniformBuffers;
	uint32_t maxPerStageDescriptorStorageBuffers, perStageImages[3], maxPerStageResources;
	uint32_t maxDescriptorSetSamplers, maxDescriptorSetUniformBuffers, maxDescriptorSetUniformBuffersDynamic;
	uint32_t maxDescriptorSetStorageBuffers, maxDescriptorSetStorageBuffersDynamic, perSetImages[3];
	uint32_t vertexToFragment[22];
	uint32_t maxComputeSharedMemorySize, maxComputeWorkGroupCount[3];
	uint32_t maxComputeWorkGroupInvocations, maxComputeWorkGroupSize[3];
	uint32_t precisionToViewport[13];
	size_t minMemoryMapAlignment;
	VkDeviceSize minTexelBufferOffsetAlignment, minUniformBufferOffsetAlignment, minStorageBufferOffsetAlignment;
	uint32_t texelToSampleMask[21];
	VkBool32 timestampComputeAndGraphics; float timestampPeriod;
	uint32_t clipToSampleLocations[12];
	VkDeviceSize optimalBufferCopyOffsetAlignment, optimalBufferCopyRowPitchAlignment, nonCoherentAtomSize;
} VkPhysicalDeviceLimits;

typedef struct {
	uint32_t apiVersion, driverVersion, vendorID, deviceID;
	int32_t deviceType; char deviceName[256]; uint8_t pipelineCacheUUID[16];
	VkPhysicalDeviceLimits limits;
	VkBool32 sparse[5];
} VkPhysicalDeviceProperties;

typedef struct {
	VkBool32 robustToCullDistance[39], shaderFloat64, shaderInt64, shaderInt16, residencyToQueries[13];
} VkPhysicalDeviceFeatures;

typedef struct { VkFlags propertyFlags; uint32_t heapIndex; } VkMemoryType;
typedef struct { VkDeviceSize size; VkFlags flags; } VkMemoryHeap;

typedef struct {
	uint32_t memoryTypeCount; VkMemoryType memoryTypes[32];
	uint32_t memoryHeapCount; VkMemoryHeap memoryHeaps[16];
} VkPhysicalDeviceMemoryProperties;

typedef struct {
	VkFlags queueFlags; uint32_t queueCount, timestampValidBits, minImageTransferGranularity[3];
} VkQueueFamilyProperties;

typedef struct { VkStructureType sType; void *pNext; VkPhysicalDeviceProperties properties; } VkPhysicalDeviceProperties2;
typedef struct { VkStructureType sType; void *pNext; VkPhysicalDeviceFeatures features; } VkPhysicalDeviceFeatures2;
typedef struct { VkStructureType sType; void *pNext; VkPhysicalDeviceMemoryProperties memoryProperties; } VkPhysicalDeviceMemoryProperties2;
typedef struct { VkStructureType sType; void *pNext; VkQueueFamilyProperties queueFamilyProperties; } VkQueueFamilyProperties2;

// A feature structure is a header and a run of VkBool32; vk_features names what each of them means.
typedef struct { VkStructureType sType; void *pNext; VkBool32 on[7]; } VkFeatureBools;

typedef struct {
	VkStructureType sType; void *pNext;
	uint8_t deviceUUID[16], driverUUID[16], deviceLUID[8]; uint32_t deviceNodeMask; VkBool32 deviceLUIDValid;
} VkPhysicalDeviceIDProperties;

typedef struct {
	VkStructureType sType; void *pNext;
	uint32_t subgroupSize; VkFlags supportedStages, supportedOperations; VkBool32 quadOperationsInAllStages;
} VkPhysicalDeviceSubgroupProperties;

typedef struct {
	VkStructureType sType; void *pNext; uint32_t maxPerSetDescriptors; VkDeviceSize maxMemoryAllocationSize;
} VkPhysicalDeviceMaintenance3Properties;

typedef struct { VkStructureType sType; void *pNext; VkDeviceSize maxBufferSize; } VkPhysicalDeviceMaintenance4Properties;

typedef struct {
	VkStructureType sType; void *pNext;
	int32_t driverID; char driverName[256], driverInfo[256]; uint8_t conformanceVersion[4];
} VkPhysicalDeviceDriverProperties;

typedef struct {
	VkStructureType sType; void *pNext;
	int32_t denormBehaviorIndependence, roundingModeIndependence;
	// each for float16, float32, float64
	VkBool32 signedZeroInfNanPreserve[3], denormPreserve[3], denormFlushToZero[3], roundingModeRTE[3], roundingModeRTZ[3];
} VkPhysicalDeviceFloatControlsProperties;

typedef struct {
	VkStructureType sType; void *pNext;
	uint32_t minSubgroupSize, maxSubgroupSize, maxComputeWorkgroupSubgroups; VkFlags requiredSubgroupSizeStages;
} VkPhysicalDeviceSubgroupSizeControlProperties;

typedef struct { VkStructureType sType; void *pNext; VkDeviceSize heapBudget[16], heapUsage[16]; } VkPhysicalDeviceMemoryBudgetPropertiesEXT;

typedef struct {
	VkStructureType sType; void *pNext;
	uint32_t MSize, NSize, KSize; int32_t AType, BType, CType, ResultType;
	VkBool32 saturatingAccumulation; int32_t scope;
} VkCooperativeMatrixPropertiesKHR;

typedef struct {
	VkStructureType sType; void *pNext;
	uint32_t MGranularity, NGranularity, KGranularity; int32_t AType, BType, CType, ResultType;
	VkBool32 saturatingAccumulation; int32_t scope; uint32_t workgroupInvocations;
} VkCooperativeMatrixFlexibleDimensionsPropertiesNV;

typedef struct {
	VkStructureType sType; void *pNext;
	uint32_t cooperativeMatrixWorkgroupScopeMaxWorkgroupSize, cooperativeMatrixFlexibleDimensionsMaxDimension,
	    cooperativeMatrixWorkgroupScopeReservedSharedMemory;
} VkPhysicalDeviceCooperativeMatrix2PropertiesNV;

typedef struct {
	VkStructureType sType; void *pNext;
	uint32_t addressInfoCount, vendorInfoCount; VkDeviceSize vendorBinarySize;
} VkDeviceFaultCountsEXT;

typedef struct { int32_t addressType; VkDeviceSize reportedAddress, addressPrecision; } VkDeviceFaultAddressInfoEXT;
typedef struct { char description[256]; uint64_t vendorFaultCode, vendorFaultData; } VkDeviceFaultVendorInfoEXT;

typedef struct {
	VkStructureType sType; void *pNext;
	char description[256]; VkDeviceFaultAddressInfoEXT *pAddressInfos; VkDeviceFaultVendorInfoEXT *pVendorInfos; void *pVendorBinaryData;
} VkDeviceFaultInfoEXT;

// Device

typedef struct {
	VkStructureType sType; const void *pNext; VkFlags flags;
	uint32_t queueFamilyIndex, queueCount; const float *pQueuePriorities;
} VkDeviceQueueCreateInfo;

typedef struct {
	VkStructureType sType; const void *pNext; VkFlags flags;
	uint32_t queueCreateInfoCount; const VkDeviceQueueCreateInfo *pQueueCreateInfos;
	uint32_t enabledLayerCount; const char *const *ppEnabledLayerNames;
	uint32_t enabledExtensionCount; const char *const *ppEnabledExtensionNames;
	const VkPhysicalDeviceFeatures *pEnabledFeatures;
} VkDeviceCreateInfo;

// Memory and buffers

typedef struct { VkStructureType sType; const void *pNext; VkDeviceSize allocationSize; uint32_t memoryTypeIndex; } VkMemoryAllocateInfo;
typedef struct { VkStructureType sType; const void *pNext; VkFlags flags; uint32_t deviceMask; } VkMemoryAllocateFlagsInfo;
typedef struct { VkStructureType sType; const void *pNext; VkDeviceMemory memory; VkDeviceSize offset, size; } VkMappedMemoryRange;
typedef struct { VkDeviceSize size, alignment; uint32_t memoryTypeBits; } VkMemoryRequirements;
typedef struct { VkStructureType sType; const void *pNext; VkBuffer buffer; } VkBufferDeviceAddressInfo;

typedef struct {
	VkStructureType sType; const void *pNext; VkFlags flags;
	VkDeviceSize size; VkFlags usage; int32_t sharingMode;
	uint32_t queueFamilyIndexCount; const uint32_t *pQueueFamilyIndices;
} VkBufferCreateInfo;

// Pipelines and descriptors

typedef struct { VkStructureType sType; const void *pNext; VkFlags flags; size_t codeSize; const uint32_t *pCode; } VkShaderModuleCreateInfo;
typedef struct { uint32_t constantID, offset; size_t size; } VkSpecializationMapEntry;

typedef struct {
	uint32_t mapEntryCount; const VkSpecializationMapEntry *pMapEntries; size_t dataSize; const void *pData;
} VkSpecializationInfo;

typedef struct { VkStructureType sType; void *pNext; uint32_t requiredSubgroupSize; } VkPipelineShaderStageRequiredSubgroupSizeCreateInfo;

typedef struct {
	VkStructureType sType; const void *pNext; VkFlags flags;
	VkFlags stage; VkShaderModule module; const char *pName; const VkSpecializationInfo *pSpecializationInfo;
} VkPipelineShaderStageCreateInfo;

typedef struct {
	VkStructureType sType; const void *pNext; VkFlags flags;
	VkPipelineShaderStageCreateInfo stage; VkPipelineLayout layout; VkPipeline basePipelineHandle; int32_t basePipelineIndex;
} VkComputePipelineCreateInfo;

typedef struct { VkFlags stageFlags; uint32_t offset, size; } VkPushConstantRange;

typedef struct {
	VkStructureType sType; const void *pNext; VkFlags flags;
	uint32_t setLayoutCount; const VkDescriptorSetLayout *pSetLayouts;
	uint32_t pushConstantRangeCount; const VkPushConstantRange *pPushConstantRanges;
} VkPipelineLayoutCreateInfo;

typedef struct {
	uint32_t binding; int32_t descriptorType; uint32_t descriptorCount; VkFlags stageFlags; const VkSampler *pImmutableSamplers;
} VkDescriptorSetLayoutBinding;

typedef struct {
	VkStructureType sType; const void *pNext; VkFlags flags; uint32_t bindingCount; const VkDescriptorSetLayoutBinding *pBindings;
} VkDescriptorSetLayoutCreateInfo;

typedef struct { VkStructureType sType; const void *pNext; VkFlags flags; size_t initialDataSize; const void *pInitialData; } VkPipelineCacheCreateInfo;
typedef struct { int32_t type; uint32_t descriptorCount; } VkDescriptorPoolSize;

typedef struct {
	VkStructureType sType; const void *pNext; VkFlags flags;
	uint32_t maxSets, poolSizeCount; const VkDescriptorPoolSize *pPoolSizes;
} VkDescriptorPoolCreateInfo;

typedef struct {
	VkStructureType sType; const void *pNext;
	VkDescriptorPool descriptorPool; uint32_t descriptorSetCount; const VkDescriptorSetLayout *pSetLayouts;
} VkDescriptorSetAllocateInfo;

typedef struct { VkBuffer buffer; VkDeviceSize offset, range; } VkDescriptorBufferInfo;

typedef struct {
	VkStructureType sType; const void *pNext;
	VkDescriptorSet dstSet; uint32_t dstBinding, dstArrayElement, descriptorCount; int32_t descriptorType;
	const void *pImageInfo; const VkDescriptorBufferInfo *pBufferInfo; const VkBufferView *pTexelBufferView;
} VkWriteDescriptorSet;

// Commands and submission

typedef struct { VkStructureType sType; const void *pNext; VkFlags flags; uint32_t queueFamilyIndex; } VkCommandPoolCreateInfo;
typedef struct { VkStructureType sType; const void *pNext; VkCommandPool commandPool; int32_t level; uint32_t commandBufferCount; } VkCommandBufferAllocateInfo;
typedef struct { VkStructureType sType; const void *pNext; VkFlags flags; const void *pInheritanceInfo; } VkCommandBufferBeginInfo;
typedef struct { VkStructureType sType; const void *pNext; VkFlags srcAccessMask, dstAccessMask; } VkMemoryBarrier;
typedef struct { VkDeviceSize srcOffset, dstOffset, size; } VkBufferCopy;
typedef struct { VkStructureType sType; const void *pNext; VkFlags flags; } VkFenceCreateInfo;
typedef struct { VkStructureType sType; const void *pNext; VkFlags flags; int32_t queryType; uint32_t queryCount; VkFlags pipelineStatistics; } VkQueryPoolCreateInfo;

typedef struct {
	VkStructureType sType; const void *pNext;
	uint32_t waitSemaphoreCount; const VkSemaphore *pWaitSemaphores; const VkFlags *pWaitDstStageMask;
	uint32_t commandBufferCount; const VkCommandBuffer *pCommandBuffers;
	uint32_t signalSemaphoreCount; const VkSemaphore *pSignalSemaphores;
} VkSubmitInfo;

#endif
