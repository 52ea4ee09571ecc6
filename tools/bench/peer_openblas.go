//go:build openblas && cgo && !windows

package main

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

typedef void (*sgemm_t)(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void (*threads_t)(int);
typedef const char *(*text_t)(void);

static sgemm_t sgemm;
static threads_t threads;
static text_t config, corename;

// The library is opened at run time: nothing is linked, and the environment that
// its constructors read is the one that the process was started with.
static int open_blas(const char *name) {
	void *lib = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return 0;
	sgemm = (sgemm_t)dlsym(lib, "cblas_sgemm");
	threads = (threads_t)dlsym(lib, "openblas_set_num_threads");
	config = (text_t)dlsym(lib, "openblas_get_config");
	corename = (text_t)dlsym(lib, "openblas_get_corename");
	return sgemm && threads && config && corename;
}

static const char *blas_config(void) { return config(); }
static const char *blas_corename(void) { return corename(); }
static void blas_threads(int n) { threads(n); }

static void blas_product(int ta, int tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb, float *c) {
	enum { row_major = 101, no_trans = 111, trans = 112 };
	sgemm(row_major, ta ? trans : no_trans, tb ? trans : no_trans, m, n, k, 1, a, lda, b, ldb, 0, c, n);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"path/filepath"
	"unsafe"
)

// openblasEngine is OpenBLAS as the system has it: Debian's build for OpenMP
// first.
func openblasEngine() (engine, error) {
	names, _ := filepath.Glob("/usr/lib/*/openblas-openmp/libopenblas.so.0")
	names = append(names, "libopenblas.so.0", "libopenblas.so", "libopenblas.dylib")
	for _, name := range names {
		s := C.CString(name)
		ok := C.open_blas(s)
		C.free(unsafe.Pointer(s))
		if ok == 0 {
			continue
		}
		about := fmt.Sprintf("%s, kernels of %s (%s)", C.GoString(C.blas_config()), C.GoString(C.blas_corename()), filepath.Base(filepath.Dir(name)))
		return productEngine(about, func(n int) { C.blas_threads(C.int(n)) }, openblasProduct), nil
	}
	return engine{}, errors.New("no OpenBLAS found (Debian: libopenblas0-openmp)")
}

func openblasProduct(p product, a, b, c []float32) {
	lda, ldb := p.k, p.n
	flag := map[bool]C.int{true: 1}
	if p.transA {
		lda = p.m
	}
	if p.transB {
		ldb = p.k
	}
	ptr := func(x []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(x))) }
	C.blas_product(flag[p.transA], flag[p.transB], C.int(p.m), C.int(p.n), C.int(p.k), ptr(a), C.int(lda), ptr(b), C.int(ldb), ptr(c))
}
