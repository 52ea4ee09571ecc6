package main

import (
	"fmt"

	"github.com/fornax-ml/fornax/tensor"
)

// printDevice says what is computed on and, where that is not Vulkan, why.
func printDevice(d tensor.DeviceInfo) {
	fmt.Printf("device: %s (%s, %s)\n", d.Name, d.Model, d.Driver)
	if d.Backend == "vulkan" {
		return
	}
	for _, i := range tensor.Devices() {
		if i.Backend == "vulkan" {
			fmt.Printf("vulkan: %s is %s; FORNAX_DEVICE=%s uses it\n", i.Name, describe(i), i.Name)
			return
		}
	}
	if _, err := tensor.Open("vulkan"); err != nil {
		fmt.Printf("vulkan: %v\n", err)
	}
}

func describe(i tensor.DeviceInfo) string {
	if i.Software {
		return "a software driver, " + i.Model
	}
	return i.Model
}
