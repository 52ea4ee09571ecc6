//go:build cgo

package vk

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// choose notes what was decided about a way to run kernels, and when it is on.
func (d *Device) choose(name string, on bool, when string) {
	value := "off"
	if on {
		value = "on"
	}
	d.choices = append(d.choices, ir.Fact{Topic: "kernels", Name: name, Value: value + ": " + when})
}

// Report implements ir.Reporter.
func (d *Device) Report() []ir.Fact {
	p := d.drv.Physical()
	var l []ir.Fact
	add := func(topic, name, format string, args ...any) {
		l = append(l, ir.Fact{Topic: topic, Name: name, Value: fmt.Sprintf(format, args...)})
	}
	add("device", "type", "%v", p.Type)
	add("device", "vendor, device", "%#x, %#x", p.VendorID, p.DeviceID)
	add("device", "driver version", "%#x", p.DriverVersion)
	add("device", "Vulkan", "%v", p.APIVersion)
	add("device", "tier", "%d", d.info.Tier)
	add("device", "pipeline cache", "%d bytes now, of which %d from disk", d.drv.CacheBytes(), d.drv.CacheLoaded())
	l = append(l, d.choices...)
	for _, x := range d.disabled {
		add("kernels", x, "off: disabled")
	}
	l = append(l, d.passport.facts()...)
	l = append(l, d.tuner.facts()...)
	for i, h := range p.Heaps {
		where := "host"
		if h.DeviceLocal {
			where = "device"
		}
		add("memory", fmt.Sprint("heap ", i), "%d MiB, %s", h.Size>>20, where)
	}
	for i, t := range p.MemoryTypes {
		add("memory", fmt.Sprint("type ", i), "heap %d%s", t.Heap, strings.Join(flags(t), ""))
	}
	l = append(l, fields("limits", p.Limits)...)
	l = append(l, fields("subgroup", p.Subgroup)...)
	l = append(l, fields("float controls", p.Float)...)
	for _, f := range fields("features", p.Features) {
		if f.Value == "true" {
			f.Value = "present"
			if reflect.ValueOf(d.drv.Features()).FieldByName(f.Name).Bool() {
				f.Value = "enabled"
			}
			l = append(l, f)
		}
	}
	for _, c := range p.FlexibleMatrices {
		add("cooperative matrices", fmt.Sprintf("multiples of %dx%dx%d up to %d", c.M, c.N, c.K, p.FlexibleMax), "%+v", c)
	}
	for _, c := range p.CooperativeMatrices {
		add("cooperative matrices", fmt.Sprintf("%dx%dx%d", c.M, c.N, c.K), "%+v", c)
	}
	return l
}

// fields makes a fact of each field of a struct.
func fields(topic string, s any) []ir.Fact {
	v := reflect.ValueOf(s)
	var l []ir.Fact
	for i := range v.NumField() {
		l = append(l, ir.Fact{Topic: topic, Name: v.Type().Field(i).Name, Value: fmt.Sprintf("%+v", v.Field(i))})
	}
	return l
}

// flags are the names of a struct's fields that are true, each after a comma.
func flags(s any) []string {
	var l []string
	for _, f := range fields("", s) {
		if f.Value == "true" {
			l = append(l, ", "+f.Name)
		}
	}
	return l
}
