//go:build cgo

package vk

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"

	"github.com/fornax-ml/fornax/shaders"
	"github.com/fornax-ml/fornax/vk/internal/driver"
	"github.com/fornax-ml/fornax/vk/internal/lower"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// templates are the embedded modules taken apart, shared by all devices.
var templates struct {
	mu sync.Mutex
	m  map[string]*splice.Template
}

func haveWide() bool {
	set, err := shaders.Builtin()
	if err != nil {
		return false
	}
	_, ok := set.Module("map_wide")
	return ok
}

func template(name string) (*splice.Template, error) {
	templates.mu.Lock()
	defer templates.mu.Unlock()
	if t := templates.m[name]; t != nil {
		return t, nil
	}
	set, err := shaders.Builtin()
	if err != nil {
		return nil, err
	}
	m, ok := set.Module(name)
	if !ok {
		return nil, fmt.Errorf("vk: no shader module %q", name)
	}
	t, err := splice.New(m.Words())
	if err != nil {
		return nil, fmt.Errorf("vk: shader module %q: %w", name, err)
	}
	if templates.m == nil {
		templates.m = map[string]*splice.Template{}
	}
	templates.m[name] = t
	return t, nil
}

// kernels are the device's pipelines by the hash of what makes them: equal
// chains in different programs share one.
type kernels struct {
	mu sync.Mutex
	m  map[[sha256.Size]byte]*kernel
}

type kernel struct {
	once sync.Once
	p    *driver.Pipeline
	err  error
}

func (k *kernels) init(*Device) { k.m = map[[sha256.Size]byte]*kernel{} }

func (k *kernels) get(key string, build func() (*driver.Pipeline, error)) (*driver.Pipeline, error) {
	h := sha256.Sum256([]byte(key))
	k.mu.Lock()
	x := k.m[h]
	if x == nil {
		x = &kernel{}
		k.m[h] = x
	}
	k.mu.Unlock()
	x.once.Do(func() { x.p, x.err = build() })
	if x.err != nil { // out of memory passes; let the next one try
		k.mu.Lock()
		if k.m[h] == x {
			delete(k.m, h)
		}
		k.mu.Unlock()
	}
	return x.p, x.err
}

// pipeline builds the pipeline of a lowered kernel; base is for dispatches in pieces.
func (d *Device) pipeline(k *lower.Kernel, addresses, base bool) (*driver.Pipeline, error) {
	return d.kernels.get(fmt.Sprint(addresses, base, " ", k.Key()), func() (*driver.Pipeline, error) {
		name, bindings := k.Module, []driver.BindingType{driver.UniformBuffer}
		if addresses {
			name, bindings[0] = name+"_address", driver.UniformBufferDynamic
		} else {
			for range k.Buffers {
				bindings = append(bindings, driver.StorageBuffer)
			}
		}
		t, err := template(name)
		if err != nil {
			return nil, err
		}
		words, err := t.Build(k.Bodies)
		if err != nil {
			return nil, err
		}
		if d.corrupt != nil {
			words = d.corrupt(name, words)
		}
		desc := driver.PipelineDesc{SPIRV: words, Spec: specs(k.Spec), Bindings: bindings, Base: base}
		if k.Subgroup > 0 {
			f := d.drv.Features()
			desc.FullSubgroups = f.FullSubgroups
			if f.SubgroupSizeControl && d.drv.Physical().Subgroup.SizeRequest {
				desc.RequiredSubgroupSize = k.Subgroup
			}
		}
		return d.drv.NewPipeline(desc)
	})
}

func specs(values []uint32) (l []driver.SpecConstant) {
	for i, v := range values {
		l = append(l, driver.SpecConstant{ID: uint32(i), Value: v})
	}
	return l
}

// each calls f(0) … f(n-1) on several goroutines and returns the first error.
func each(n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	limit := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range n {
		wg.Add(1)
		limit <- struct{}{}
		go func() {
			defer wg.Done()
			errs[i] = f(i)
			<-limit
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
