//go:build cgo

// What a physical device has, and making a logical device with what a tier allows of it.

#include "table.h"

#include <stdlib.h>
#include <string.h>

// One optional feature: where its VkBool32 lies, since which core version or under which extension the
// structure may be chained, and from which tier on it is enabled.
typedef struct {
	size_t feature; // offset in fx_features
	VkStructureType sType;
	int index;
	uint32_t core; // 0: never
	const char *extension;
	int tier;
} feature_row;

#define V11 VK_MAKE_VERSION(1, 1, 0)
#define V12 VK_MAKE_VERSION(1, 2, 0)
#define V13 VK_MAKE_VERSION(1, 3, 0)
#define ROW(name, sType, index, core, ext, tier) {offsetof(fx_features, name), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_##sType, index, core, ext, tier}

// Rows of one structure stand together.
static const feature_row rows[] = {
    ROW(storage16, 16BIT_STORAGE_FEATURES, 0, V11, "VK_KHR_16bit_storage", 1),
    ROW(float16, SHADER_FLOAT16_INT8_FEATURES, 0, V12, "VK_KHR_shader_float16_int8", 1),
    ROW(int8, SHADER_FLOAT16_INT8_FEATURES, 1, V12, "VK_KHR_shader_float16_int8", 1),
    ROW(storage8, 8BIT_STORAGE_FEATURES, 0, V12, "VK_KHR_8bit_storage", 1),
    ROW(address, BUFFER_DEVICE_ADDRESS_FEATURES, 0, V12, "VK_KHR_buffer_device_address", 1),
    ROW(timeline, TIMELINE_SEMAPHORE_FEATURES, 0, V12, "VK_KHR_timeline_semaphore", 1),
    ROW(scalar_layout, SCALAR_BLOCK_LAYOUT_FEATURES, 0, V12, "VK_EXT_scalar_block_layout", 1),
    ROW(subgroup_types, SHADER_SUBGROUP_EXTENDED_TYPES_FEATURES, 0, V12, "VK_KHR_shader_subgroup_extended_types", 1),
    ROW(memory_model, VULKAN_MEMORY_MODEL_FEATURES, 0, V12, "VK_KHR_vulkan_memory_model", 1),
    ROW(memory_model_device, VULKAN_MEMORY_MODEL_FEATURES, 1, V12, "VK_KHR_vulkan_memory_model", 1),
    ROW(subgroup_size, SUBGROUP_SIZE_CONTROL_FEATURES, 0, V13, "VK_EXT_subgroup_size_control", 1),
    ROW(full_subgroups, SUBGROUP_SIZE_CONTROL_FEATURES, 1, V13, "VK_EXT_subgroup_size_control", 1),
    ROW(sync2, SYNCHRONIZATION_2_FEATURES, 0, V13, "VK_KHR_synchronization2", 1),
    ROW(dot_product, SHADER_INTEGER_DOT_PRODUCT_FEATURES, 0, V13, "VK_KHR_shader_integer_dot_product", 1),
    ROW(maintenance4, MAINTENANCE_4_FEATURES, 0, V13, "VK_KHR_maintenance4", 1),
    ROW(fault, FAULT_FEATURES_EXT, 0, 0, "VK_EXT_device_fault", 1),
    ROW(coopmat, COOPERATIVE_MATRIX_FEATURES_KHR, 0, 0, "VK_KHR_cooperative_matrix", 2),
    ROW(coopmat2_workgroup, COOPERATIVE_MATRIX_2_FEATURES_NV, 0, 0, "VK_NV_cooperative_matrix2", 3),
    ROW(coopmat2_flexible, COOPERATIVE_MATRIX_2_FEATURES_NV, 1, 0, "VK_NV_cooperative_matrix2", 3),
    ROW(coopmat2_per_element, COOPERATIVE_MATRIX_2_FEATURES_NV, 4, 0, "VK_NV_cooperative_matrix2", 3),
    ROW(bfloat16, SHADER_BFLOAT16_FEATURES_KHR, 0, 0, "VK_KHR_shader_bfloat16", 2),
    ROW(bfloat16_coopmat, SHADER_BFLOAT16_FEATURES_KHR, 2, 0, "VK_KHR_shader_bfloat16", 2),
};
enum { ROWS = sizeof rows / sizeof *rows };

static uint8_t *flag(fx_features *f, const feature_row *r) { return (uint8_t *)f + r->feature; }

typedef struct { VkExtensionProperties *p; uint32_t n; } extension_list;

static VkResult list_extensions(fx_instance *in, VkPhysicalDevice h, extension_list *e) {
	e->p = NULL;
	e->n = 0;
	VkResult r = in->EnumerateDeviceExtensionProperties(h, NULL, &e->n, NULL);
	if (r < 0) return r;
	e->p = calloc(e->n + 1, sizeof *e->p);
	if (!e->p) return VK_ERROR_OUT_OF_HOST_MEMORY;
	r = in->EnumerateDeviceExtensionProperties(h, NULL, &e->n, e->p);
	return r < 0 ? r : VK_SUCCESS;
}

static int listed(const extension_list *e, const char *name) {
	for (uint32_t i = 0; i < e->n; i++)
		if (!strcmp(e->p[i].extensionName, name)) return 1;
	return 0;
}

// Whether the row's structure may be chained on this device.
static int known(const feature_row *r, uint32_t api, const extension_list *e) {
	return (r->core && api >= r->core) || listed(e, r->extension);
}

VkResult fx_physical_count(fx_instance *in, uint32_t *n) { return in->EnumeratePhysicalDevices(in->handle, n, NULL); }

VkResult fx_physical_handles(fx_instance *in, uint32_t *n, VkPhysicalDevice *out) {
	return in->EnumeratePhysicalDevices(in->handle, n, out);
}

static void query_features(fx_instance *in, const extension_list *e, fx_physical *p) {
	VkFeatureBools chain[ROWS];
	VkPhysicalDeviceFeatures2 f2 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, NULL, {{0}, 0, 0, 0, {0}}};
	int at[ROWS], n = 0;
	memset(chain, 0, sizeof chain);
	for (int i = 0; i < ROWS; i++) {
		at[i] = -1;
		if (!known(&rows[i], p->api_version, e)) continue;
		if (n == 0 || chain[n - 1].sType != rows[i].sType) {
			chain[n].sType = rows[i].sType;
			chain[n].pNext = f2.pNext;
			f2.pNext = &chain[n++];
		}
		at[i] = n - 1;
	}
	in->GetPhysicalDeviceFeatures2(p->handle, &f2);
	for (int i = 0; i < ROWS; i++)
		if (at[i] >= 0) *flag(&p->has, &rows[i]) = chain[at[i]].on[rows[i].index] != 0;
	p->has.float64 = f2.features.shaderFloat64 != 0;
	p->has.int64 = f2.features.shaderInt64 != 0;
	p->has.int16 = f2.features.shaderInt16 != 0;
	p->has.push_descriptor = listed(e, "VK_KHR_push_descriptor");
	p->has.float_controls = p->api_version >= V12 || listed(e, "VK_KHR_shader_float_controls");
	p->has.memory_budget = listed(e, "VK_EXT_memory_budget");
	p->has.portability_subset = listed(e, "VK_KHR_portability_subset");
}

static void query_properties(fx_instance *in, const extension_list *e, fx_physical *p) {
	VkPhysicalDeviceMaintenance3Properties m3 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
	VkPhysicalDeviceIDProperties id = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES, &m3};
	VkPhysicalDeviceSubgroupProperties sg = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, &id};
	VkPhysicalDeviceProperties2 p2 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &sg};
	VkPhysicalDeviceDriverProperties drv = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
	VkPhysicalDeviceFloatControlsProperties fc = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FLOAT_CONTROLS_PROPERTIES};
	VkPhysicalDeviceSubgroupSizeControlProperties sc = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES};
	VkPhysicalDeviceMaintenance4Properties m4 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES};
	if (p->api_version >= V12 || listed(e, "VK_KHR_driver_properties")) drv.pNext = p2.pNext, p2.pNext = &drv;
	if (p->has.float_controls) fc.pNext = p2.pNext, p2.pNext = &fc;
	if (p->api_version >= V13 || listed(e, "VK_EXT_subgroup_size_control")) sc.pNext = p2.pNext, p2.pNext = &sc;
	VkPhysicalDeviceCooperativeMatrix2PropertiesNV cm2 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_PROPERTIES_NV};
	if (listed(e, "VK_NV_cooperative_matrix2")) cm2.pNext = p2.pNext, p2.pNext = &cm2;
	if (p->api_version >= V13 || listed(e, "VK_KHR_maintenance4")) m4.pNext = p2.pNext, p2.pNext = &m4;
	in->GetPhysicalDeviceProperties2(p->handle, &p2);

	memcpy(p->device_uuid, id.deviceUUID, 16);
	memcpy(p->driver_uuid, id.driverUUID, 16);
	memcpy(p->driver_name, drv.driverName, sizeof p->driver_name - 1);
	memcpy(p->driver_info, drv.driverInfo, sizeof p->driver_info - 1);
	p->subgroup_size = sg.subgroupSize;
	p->subgroup_min = sc.minSubgroupSize ? sc.minSubgroupSize : sg.subgroupSize;
	p->subgroup_max = sc.maxSubgroupSize ? sc.maxSubgroupSize : sg.subgroupSize;
	p->subgroup_ops = sg.supportedOperations;
	p->subgroup_stages = sg.supportedStages;
	p->subgroup_size_stages = sc.requiredSubgroupSizeStages;
	p->max_subgroups = sc.maxComputeWorkgroupSubgroups;
	p->max_allocation = m3.maxMemoryAllocationSize;
	p->max_buffer = m4.maxBufferSize;
	p->flexible_max = cm2.cooperativeMatrixFlexibleDimensionsMaxDimension;
	p->flexible_shared = cm2.cooperativeMatrixWorkgroupScopeReservedSharedMemory;
	for (int i = 0; i < 3; i++) {
		p->signed_zero_inf_nan[i] = fc.signedZeroInfNanPreserve[i] != 0;
		p->denorm_preserve[i] = fc.denormPreserve[i] != 0;
		p->denorm_flush[i] = fc.denormFlushToZero[i] != 0;
		p->rte[i] = fc.roundingModeRTE[i] != 0;
		p->rtz[i] = fc.roundingModeRTZ[i] != 0;
	}
}

// A family that computes and does not draw is preferred: on desktop GPUs it is the asynchronous one.
static void query_queues(fx_instance *in, fx_physical *p) {
	VkQueueFamilyProperties2 q[32];
	uint32_t n = 32;
	memset(q, 0, sizeof q);
	for (int i = 0; i < 32; i++) q[i].sType = VK_STRUCTURE_TYPE_QUEUE_FAMILY_PROPERTIES_2;
	in->GetPhysicalDeviceQueueFamilyProperties2(p->handle, &n, q);
	p->queue_family = -1;
	for (int graphics = 0; graphics < 2 && p->queue_family < 0; graphics++)
		for (uint32_t i = 0; i < n && p->queue_family < 0; i++) {
			VkFlags f = q[i].queueFamilyProperties.queueFlags;
			if ((f & VK_QUEUE_COMPUTE_BIT) && (graphics || !(f & VK_QUEUE_GRAPHICS_BIT))) {
				p->queue_family = (int32_t)i;
				p->timestamp_bits = q[i].queueFamilyProperties.timestampValidBits;
			}
		}
}

static void query_coopmats(fx_instance *in, fx_physical *p) {
	uint32_t n = 0;
	if (!p->has.coopmat || !in->GetPhysicalDeviceCooperativeMatrixPropertiesKHR) return;
	if (in->GetPhysicalDeviceCooperativeMatrixPropertiesKHR(p->handle, &n, NULL) < 0 || n == 0) return;
	VkCooperativeMatrixPropertiesKHR *c = calloc(n, sizeof *c);
	if (!c) return;
	for (uint32_t i = 0; i < n; i++) c[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
	if (in->GetPhysicalDeviceCooperativeMatrixPropertiesKHR(p->handle, &n, c) >= 0)
		for (uint32_t i = 0; i < n && i < FX_MAX_COOPMATS; i++)
			p->coopmats[p->coopmat_count++] = (fx_coopmat){c[i].MSize, c[i].NSize, c[i].KSize, c[i].AType, c[i].BType,
			    c[i].CType, c[i].ResultType, (int32_t)c[i].saturatingAccumulation, c[i].scope, 0};
	free(c);
}

static void query_flexible(fx_instance *in, fx_physical *p) {
	uint32_t n = 0;
	if (!p->has.coopmat2_flexible || !in->GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV) return;
	if (in->GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV(p->handle, &n, NULL) < 0 || n == 0) return;
	VkCooperativeMatrixFlexibleDimensionsPropertiesNV *c = calloc(n, sizeof *c);
	if (!c) return;
	for (uint32_t i = 0; i < n; i++) c[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FLEXIBLE_DIMENSIONS_PROPERTIES_NV;
	if (in->GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV(p->handle, &n, c) >= 0)
		for (uint32_t i = 0; i < n && i < FX_MAX_COOPMATS; i++)
			p->flexible[p->flexible_count++] = (fx_coopmat){c[i].MGranularity, c[i].NGranularity, c[i].KGranularity, c[i].AType,
			    c[i].BType, c[i].CType, c[i].ResultType, (int32_t)c[i].saturatingAccumulation, c[i].scope, c[i].workgroupInvocations};
	free(c);
}

// A device of Vulkan 1.0 only gets its name and version; the caller leaves it out.
VkResult fx_physical_query(fx_instance *in, VkPhysicalDevice h, fx_physical *p) {
	memset(p, 0, sizeof *p);
	p->handle = h;
	p->queue_family = -1;
	in->GetPhysicalDeviceProperties(h, &p->props);
	p->api_version = p->props.apiVersion < in->version ? p->props.apiVersion : in->version;
	if (p->api_version < V11 || !in->GetPhysicalDeviceFeatures2 || !in->GetPhysicalDeviceProperties2 ||
	    !in->GetPhysicalDeviceMemoryProperties2 || !in->GetPhysicalDeviceQueueFamilyProperties2)
		return VK_SUCCESS;
	extension_list e;
	VkResult r = list_extensions(in, h, &e);
	if (r == VK_SUCCESS) {
		query_features(in, &e, p);
		query_properties(in, &e, p);
		query_queues(in, p);
		query_coopmats(in, p);
		query_flexible(in, p);
		VkPhysicalDeviceMemoryProperties2 m = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
		in->GetPhysicalDeviceMemoryProperties2(h, &m);
		p->memory = m.memoryProperties;
	}
	free(e.p);
	return r;
}

// Call only where has.memory_budget.
void fx_physical_budget(fx_instance *in, VkPhysicalDevice h, uint64_t budget[16], uint64_t usage[16]) {
	VkPhysicalDeviceMemoryBudgetPropertiesEXT b = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
	VkPhysicalDeviceMemoryProperties2 m = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, &b};
	in->GetPhysicalDeviceMemoryProperties2(h, &m);
	memcpy(budget, b.heapBudget, sizeof b.heapBudget);
	memcpy(usage, b.heapUsage, sizeof b.heapUsage);
}

VkResult fx_device_create(fx_instance *in, const fx_physical *p, int tier, VkDevice *dev, fx_features *enabled) {
	VkFeatureBools chain[ROWS];
	VkPhysicalDeviceFeatures2 f2 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, NULL, {{0}, 0, 0, 0, {0}}};
	const char *names[ROWS + 4];
	uint32_t n_names = 0;
	int n = 0;
	extension_list e;
	VkResult r = list_extensions(in, p->handle, &e);
	if (r < 0) {
		free(e.p);
		return r;
	}
	memset(chain, 0, sizeof chain);
	memset(enabled, 0, sizeof *enabled);
	fx_features has = p->has;
	for (int i = 0; i < ROWS; i++) {
		const feature_row *row = &rows[i];
		if (!*flag(&has, row) || row->tier > tier) continue;
		if (n == 0 || chain[n - 1].sType != row->sType) {
			chain[n].sType = row->sType;
			chain[n].pNext = f2.pNext;
			f2.pNext = &chain[n++];
			if (!(row->core && p->api_version >= row->core)) names[n_names++] = row->extension;
		}
		chain[n - 1].on[row->index] = 1;
		*flag(enabled, row) = 1;
	}
	f2.features.shaderFloat64 = enabled->float64 = has.float64;
	f2.features.shaderInt64 = enabled->int64 = has.int64;
	if (tier >= 1) {
		f2.features.shaderInt16 = enabled->int16 = has.int16;
		enabled->float_controls = has.float_controls;
		if (has.float_controls && p->api_version < V12) names[n_names++] = "VK_KHR_shader_float_controls";
	}
	// The specification wants this one enabled wherever it exists.
	if (has.portability_subset) names[n_names++] = "VK_KHR_portability_subset", enabled->portability_subset = 1;
	enabled->memory_budget = has.memory_budget; // asked of the physical device: nothing to enable

	float priority = 1;
	VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, NULL, 0, (uint32_t)p->queue_family, 1, &priority};
	VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, &f2, 0, 1, &queue, 0, NULL, n_names, names, NULL};
	r = in->CreateDevice(p->handle, &info, NULL, dev);
	free(e.p);
	return r;
}
