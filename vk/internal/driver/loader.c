//go:build cgo

// Finding the Vulkan loader, making an instance, collecting validation messages.

#include "table.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

static PFN_vkGetInstanceProcAddr get_instance_proc;

// Go calls this once, under a sync.Once.
void *fx_load(void) {
#if defined(_WIN32)
	HMODULE lib = LoadLibraryA("vulkan-1.dll");
	if (lib) get_instance_proc = (PFN_vkGetInstanceProcAddr)(void (*)(void))GetProcAddress(lib, "vkGetInstanceProcAddr");
#else
	static const char *const names[] = {
#if defined(__APPLE__)
	    "libvulkan.1.dylib", "libvulkan.dylib", "/usr/local/lib/libvulkan.1.dylib", "/opt/homebrew/lib/libvulkan.1.dylib",
	    "libMoltenVK.dylib", "/usr/local/lib/libMoltenVK.dylib", "/opt/homebrew/lib/libMoltenVK.dylib",
#else
	    "libvulkan.so.1", "libvulkan.so",
#endif
	};
	for (size_t i = 0; i < sizeof names / sizeof *names && !get_instance_proc; i++) {
		void *lib = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
		if (lib) get_instance_proc = (PFN_vkGetInstanceProcAddr)dlsym(lib, "vkGetInstanceProcAddr");
	}
#endif
	return (void *)get_instance_proc;
}

// Messages: a ring of bounded size. The callback may run on any thread, also on threads of the layer.

enum { MAX_MESSAGES = 256 };

struct fx_messages {
	atomic_flag lock;
	char *text[MAX_MESSAGES];
	uint32_t first, count, dropped;
};

static void lock(struct fx_messages *m) {
	while (atomic_flag_test_and_set_explicit(&m->lock, memory_order_acquire)) {
	}
}

static void unlock(struct fx_messages *m) { atomic_flag_clear_explicit(&m->lock, memory_order_release); }

static VkBool32 VKAPI_PTR on_message(VkFlags severity, VkFlags types, const VkDebugUtilsMessengerCallbackDataEXT *data, void *user) {
	(void)types;
	struct fx_messages *m = user;
	const char *id = data->pMessageIdName ? data->pMessageIdName : "";
	const char *text = data->pMessage ? data->pMessage : "";
	size_t n = strlen(id) + strlen(text) + 16;
	char *s = malloc(n);
	if (s) snprintf(s, n, "%s: %s: %s", severity & VK_DEBUG_SEVERITY_ERROR ? "error" : "warning", id, text);
	lock(m);
	if (s && m->count < MAX_MESSAGES) {
		m->text[(m->first + m->count++) % MAX_MESSAGES] = s;
		s = NULL;
	} else {
		m->dropped++;
	}
	unlock(m);
	free(s);
	return 0;
}

char *fx_instance_message(fx_instance *in) {
	struct fx_messages *m = in->messages;
	char *s = NULL;
	if (!m) return NULL;
	lock(m);
	if (m->count) {
		s = m->text[m->first];
		m->first = (m->first + 1) % MAX_MESSAGES;
		m->count--;
	}
	unlock(m);
	return s;
}

uint32_t fx_instance_messages_dropped(fx_instance *in) {
	struct fx_messages *m = in->messages;
	if (!m) return 0;
	lock(m);
	uint32_t n = m->dropped;
	m->dropped = 0;
	unlock(m);
	return n;
}

// Instance

typedef VkResult(VKAPI_PTR *enumerate_extensions)(const char *, uint32_t *, VkExtensionProperties *);
typedef VkResult(VKAPI_PTR *enumerate_layers)(uint32_t *, VkLayerProperties *);
typedef VkResult(VKAPI_PTR *enumerate_version)(uint32_t *);
typedef VkResult(VKAPI_PTR *create_instance)(const VkInstanceCreateInfo *, const void *, VkInstance *);

static int has_extension(enumerate_extensions f, const char *layer, const char *name) {
	uint32_t n = 0;
	int found = 0;
	if (f(layer, &n, NULL) != VK_SUCCESS || n == 0) return 0;
	VkExtensionProperties *p = calloc(n, sizeof *p);
	if (p && f(layer, &n, p) >= 0)
		for (uint32_t i = 0; i < n; i++) found |= !strcmp(p[i].extensionName, name);
	free(p);
	return found;
}

static int has_layer(enumerate_layers f, const char *name) {
	uint32_t n = 0;
	int found = 0;
	if (f(&n, NULL) != VK_SUCCESS || n == 0) return 0;
	VkLayerProperties *p = calloc(n, sizeof *p);
	if (p && f(&n, p) >= 0)
		for (uint32_t i = 0; i < n; i++) found |= !strcmp(p[i].layerName, name);
	free(p);
	return found;
}

static const char validation_layer[] = "VK_LAYER_KHRONOS_validation";

static fx_status open_instance(fx_instance *in, int validation) {
	PFN_vkGetInstanceProcAddr gpa = get_instance_proc;
	create_instance create = (create_instance)gpa(NULL, "vkCreateInstance");
	enumerate_extensions extensions = (enumerate_extensions)gpa(NULL, "vkEnumerateInstanceExtensionProperties");
	enumerate_layers layers = (enumerate_layers)gpa(NULL, "vkEnumerateInstanceLayerProperties");
	enumerate_version version = (enumerate_version)gpa(NULL, "vkEnumerateInstanceVersion");
	if (!create || !extensions || !layers) return (fx_status){VK_ERROR_INITIALIZATION_FAILED, "vkGetInstanceProcAddr"};

	uint32_t have = VK_MAKE_VERSION(1, 0, 0);
	if (version) version(&have);
	if (have < VK_MAKE_VERSION(1, 1, 0)) return (fx_status){VK_ERROR_INCOMPATIBLE_DRIVER, "vkEnumerateInstanceVersion"};

	const char *layer_names[1], *ext_names[4];
	uint32_t n_layers = 0, n_exts = 0;
	VkApplicationInfo app = {VK_STRUCTURE_TYPE_APPLICATION_INFO, NULL, "fornax", 1, "fornax", 1, VK_MAKE_VERSION(1, 3, 0)};
	VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, NULL, 0, &app, 0, layer_names, 0, ext_names};

	int32_t sync = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
	VkValidationFeaturesEXT features = {VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT, NULL, 1, &sync, 0, NULL};
	VkDebugUtilsMessengerCreateInfoEXT messenger = {
	    VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT, NULL, 0, VK_DEBUG_SEVERITY_WARNING | VK_DEBUG_SEVERITY_ERROR,
	    VK_DEBUG_TYPE_VALIDATION | VK_DEBUG_TYPE_PERFORMANCE, on_message, NULL};
	if (validation) {
		if (!has_layer(layers, validation_layer)) return (fx_status){VK_ERROR_LAYER_NOT_PRESENT, validation_layer};
		if (!has_extension(extensions, NULL, "VK_EXT_debug_utils") && !has_extension(extensions, validation_layer, "VK_EXT_debug_utils"))
			return (fx_status){VK_ERROR_EXTENSION_NOT_PRESENT, "VK_EXT_debug_utils"};
		in->messages = calloc(1, sizeof *in->messages);
		if (!in->messages) return (fx_status){VK_ERROR_OUT_OF_HOST_MEMORY, "calloc"};
		layer_names[n_layers++] = validation_layer;
		ext_names[n_exts++] = "VK_EXT_debug_utils";
		messenger.pUserData = in->messages;
		info.pNext = &messenger;
		if (has_extension(extensions, validation_layer, "VK_EXT_validation_features")) {
			ext_names[n_exts++] = "VK_EXT_validation_features";
			messenger.pNext = &features;
		}
	}
	if (has_extension(extensions, NULL, "VK_KHR_portability_enumeration")) { // MoltenVK and other partial drivers
		ext_names[n_exts++] = "VK_KHR_portability_enumeration";
		info.flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
	}
	info.enabledLayerCount = n_layers;
	info.enabledExtensionCount = n_exts;

	VkResult r = create(&info, NULL, &in->handle);
	if (r == VK_ERROR_INCOMPATIBLE_DRIVER) {
		app.apiVersion = VK_MAKE_VERSION(1, 1, 0);
		r = create(&info, NULL, &in->handle);
	}
	if (r != VK_SUCCESS) return (fx_status){r, "vkCreateInstance"};
	in->version = app.apiVersion < have ? app.apiVersion : have;
	in->proc = gpa;
#define LOAD(ret, name, params) in->name = (ret(VKAPI_PTR *) params)gpa(in->handle, "vk" #name);
#define CHECK(ret, name, params) if (!in->name) return (fx_status){VK_ERROR_INITIALIZATION_FAILED, "vk" #name};
	FX_INSTANCE_FUNCTIONS(LOAD)
	FX_INSTANCE_OPTIONAL(LOAD)
	FX_INSTANCE_FUNCTIONS(CHECK)
	if (validation && in->CreateDebugUtilsMessengerEXT) {
		messenger.pNext = NULL;
		r = in->CreateDebugUtilsMessengerEXT(in->handle, &messenger, NULL, &in->messenger);
		if (r != VK_SUCCESS) return (fx_status){r, "vkCreateDebugUtilsMessengerEXT"};
	}
	return (fx_status){VK_SUCCESS, NULL};
}

fx_status fx_instance_open(int validation, fx_instance **out) {
	fx_instance *in = calloc(1, sizeof *in);
	if (!in) return (fx_status){VK_ERROR_OUT_OF_HOST_MEMORY, "calloc"};
	fx_status s = open_instance(in, validation);
	if (s.result != VK_SUCCESS) {
		fx_instance_close(in);
		return s;
	}
	*out = in;
	return s;
}

void fx_instance_close(fx_instance *in) {
	if (in->messenger && in->DestroyDebugUtilsMessengerEXT) in->DestroyDebugUtilsMessengerEXT(in->handle, in->messenger, NULL);
	if (in->handle && in->DestroyInstance) in->DestroyInstance(in->handle, NULL);
	for (char *s; (s = fx_instance_message(in));) free(s);
	free(in->messages);
	free(in);
}

VkInstance fx_instance_handle(fx_instance *in) { return in->handle; }
uint32_t fx_instance_version(fx_instance *in) { return in->version; }
void *fx_instance_proc(fx_instance *in, const char *name) { return (void *)in->proc(in->handle, name); }
