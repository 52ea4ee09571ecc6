package main

import (
	"fmt"

	"github.com/fornax-ml/fornax/tensor"
	_ "github.com/fornax-ml/fornax/vk"
)

// openDevice opens a device, the CPU and all GPUs if the name is empty. It prints what
// is computed on and, where that is the CPU alone, why.
func openDevice(name string) (*tensor.Device, error) {
	d, err := tensor.Open(name)
	if err != nil {
		return nil, err
	}
	info := d.Info()
	fmt.Printf("device: %s (%s, %s)\n", info.Name, info.Model, info.Driver)
	if info.Backend != "cpu" {
		return d, nil
	}
	for _, i := range tensor.Devices() {
		switch {
		case i.Backend == "vulkan" && i.Software:
			fmt.Printf("vulkan: not used, %s is a software driver (%s); FORNAX_DEVICE=%[1]s uses it\n", i.Name, i.Model)
			return d, nil
		case i.Backend == "vulkan":
			fmt.Printf("vulkan: not used; FORNAX_DEVICE=%s uses the %s\n", i.Name, i.Model)
			return d, nil
		}
	}
	if _, err := tensor.Open("vulkan"); err != nil {
		fmt.Printf("vulkan: not used: %v\n", err)
	}
	return d, nil
}
