//go:build cgo

package vk

import (
	"fmt"
	"strings"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/driver"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

// A way is how programs become kernels: which get their buffers by descriptor or by
// address, and so may bind more or fewer of them.
type way struct {
	name      string // "descriptor" or "address"
	addresses bool
	options   lower.Options
}

// findWays sets how programs are lowered.
func (d *Device) findWays(opt Options, tier int) error {
	want, software := opt.Arguments, d.info.Software && !opt.LikeGPU
	p := d.drv.Physical()
	o := lower.Options{
		Device: d.info.Name, Buffers: d.info.Limits.Operands, Shared: int(p.Limits.SharedMemory), Align: d.info.Limits.Align,
		DTypes: d.info.DTypes, Software: software, Workgroup: 128,
	}
	if min(p.Limits.MaxWorkGroupInvocations, p.Limits.MaxWorkGroupSize[0]) >= 256 {
		o.Workgroup = 256
	}
	sub := p.Subgroup
	o.Subgroup8 = tier > 0 && o.Software && sub.Min == 8 && sub.Max == 8 && sub.Compute && sub.Ops&driver.SubgroupBallot != 0
	if software {
		o.NoShared = true // which is memory like any other
	} else {
		known := o.SetDefaults(d.info.Vendor, p.Name)
		d.choose("products before tuning", true, known)
	}
	d.choose("products without shared memory first", o.NoShared, "where public tuners stage neither matrix, and on CPU drivers")
	d.choose("matmul_sub8", o.Subgroup8, "for CPU drivers from tier 1 on with subgroups of 8 that broadcast")
	d.choose("64-bit kernels", d.info.DTypes.Has(ir.F64), "where the device has shaderFloat64 and shaderInt64")

	if tier >= 2 && !software {
		o.Matrices = d.matrices(p.CooperativeMatrices, o.Workgroup)
		if tier >= 3 {
			o.Flexible = d.matrices(p.FlexibleMatrices, o.Workgroup)
		}
		for x, m := range o.Flexible {
			m.Flexible, m.Reserved = p.FlexibleMax, p.FlexibleShared
			o.Flexible[x] = m
		}
	}
	for _, x := range []ir.DType{ir.F16, ir.BF16} {
		when := "on GPUs of tier 2 whose matrix units multiply it and sum in f32"
		m, on := o.Matrices[x]
		if on {
			when += fmt.Sprintf("; here %d x %d x %d by subgroups of %d", m.M, m.N, m.K, m.Subgroup)
		}
		d.choose("matmul_coop_"+x.String(), on, when)
		when = "before those, where tier 3 is asked for and the device has VK_NV_cooperative_matrix2"
		if m, on = o.Flexible[x]; on {
			when += fmt.Sprintf("; here multiples of %d x %d x %d by subgroups of %d, %d invocations together", m.M, m.N, m.K, m.Subgroup, max(m.Workgroup, m.Subgroup))
		}
		d.choose("matmul_coop2_"+x.String(), on, when)
	}

	address := d.way("address", o)
	o.Buffers = min(o.Buffers, int(p.Limits.StorageBuffersPerStage), int(p.Limits.StorageBuffersPerSet))
	o.Range = int(min(p.Limits.StorageBufferRange, 1<<62))
	descriptor := d.way("descriptor", o)
	if tier > 0 && want != ByDescriptor && d.off(address.name) == "" {
		d.ways = append(d.ways, address)
	}
	if (len(d.ways) == 0 || want != ByAddress) && d.off(descriptor.name) == "" {
		d.ways = append(d.ways, descriptor)
	}
	if len(d.ways) == 0 {
		return fmt.Errorf("%s: kernels can reach buffers neither by descriptor nor by address: %q are off", d.info.Name, d.disabled)
	}
	// Mesa's lavapipe loads through addresses one lane at a time: Map runs at
	// a quarter of the speed.
	if len(d.ways) == 2 && software {
		d.ways[0], d.ways[1] = d.ways[1], d.ways[0]
	}
	for i, w := range d.ways {
		when := "from tier 1 on, unless the options want descriptors; on GPUs before descriptors"
		if !w.addresses {
			when = "unless the options want addresses; on CPU drivers, which load through addresses a lane at a time, before those"
		}
		d.choose(fmt.Sprintf("arguments by %s, choice %d", w.name, i+1), true, when)
	}
	return nil
}

// matrices chooses for each dtype of halves one of those in the list with sums of f32: the
// largest workgroup's, or else the largest.
func (d *Device) matrices(list []driver.CooperativeMatrix, workgroup int) map[ir.DType]lower.Matrix {
	p, f := d.drv.Physical(), d.drv.Features()
	size := p.Subgroup.Size
	known := p.Subgroup.Min == p.Subgroup.Max || f.SubgroupSizeControl && p.Subgroup.SizeRequest
	if !known || !p.Subgroup.Compute {
		return nil
	}
	best := map[ir.DType]lower.Matrix{}
	for _, c := range list {
		x := ir.F16
		if c.A == driver.ComponentBF16 {
			x = ir.BF16
		}
		halves := c.A == driver.ComponentF16 || c.A == driver.ComponentBF16 && f.BFloat16CooperativeMatrix
		if !halves || c.B != c.A || c.C != driver.ComponentF32 || c.Result != driver.ComponentF32 || (c.M|c.N|c.K)%8 != 0 {
			continue
		}
		m := lower.Matrix{M: c.M, N: c.N, K: c.K, Subgroup: size}
		switch {
		case c.Workgroup && f.WorkgroupMatrices && c.Invocations > 0 && c.Invocations%size == 0 && c.Invocations <= workgroup:
			m.Workgroup = c.Invocations
		case !c.Subgroup || c.Invocations > 0:
			continue
		}
		if old := best[x]; m.Workgroup > old.Workgroup || m.Workgroup == old.Workgroup && m.M*m.N*m.K > old.M*old.N*old.K {
			best[x] = m
		}
	}
	return best
}

func (d *Device) way(name string, o lower.Options) *way {
	w := &way{name: name, addresses: name == "address", options: o}
	w.options.Off = func(kernel string) string {
		if why := d.off(kernel); why != "" {
			return why
		}
		return d.passport.failure(w.key(kernel))
	}
	w.options.MatMul = func(p lower.Product, ks []lower.MatMulKernel) int { return d.tuner.pick(w, p, ks) }
	return w
}

// key names a kernel's variant or an op's function in the passport.
func (w *way) key(kernel string) string { return w.name + " " + kernel }

// off says why a name is switched off; see [Options.Disable].
func (d *Device) off(name string) string {
	for _, x := range d.disabled {
		if name == x || strings.HasPrefix(name, x+" ") {
			return fmt.Sprintf("%q is disabled", x)
		}
	}
	return ""
}

// plan lowers a program in the first way that can, to kernels that passed their
// self-tests.
func (d *Device) plan(p *ir.Program) (plan *lower.Plan, addresses bool, err error) {
	for _, w := range d.ways {
		plan, werr := d.proven(p, w.options, w)
		if werr == nil {
			return plan, w.addresses, nil
		}
		if err == nil {
			err = werr
		}
	}
	return nil, false, err
}

// proven lowers a program; kernels that are new to the device are tried first, and
// where one fails its stand-in comes instead.
func (d *Device) proven(p *ir.Program, o lower.Options, w *way) (*lower.Plan, error) {
	for {
		plan, err := lower.Lower(p, o)
		if err != nil {
			return nil, err
		}
		failed, err := d.prove(w, plan)
		if err != nil || !failed {
			return plan, err
		}
	}
}
