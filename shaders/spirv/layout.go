package spirv

import (
	"fmt"
	"math"
	"sort"
)

// variables reflects descriptors and push constants.
func (r *reflector) variables(out *Interface) error {
	type key struct{ set, binding uint32 }
	byKey := make(map[key]Binding)
	for _, in := range r.m.Insts {
		if in.Op == OpFunction {
			break
		}
		if in.Op != OpVariable || len(in.Words) < 3 {
			continue
		}
		id, storage := in.Words[1], in.Words[2]
		ptr, ok := r.types[in.Words[0]]
		if !ok || ptr.Kind != KindPointer {
			return fmt.Errorf("spirv: variable %%%d has no pointer type", id)
		}
		switch storage {
		case StoragePushConstant:
			n, err := r.pushConstants(ptr.Elem)
			if err != nil {
				return err
			}
			out.PushConstantBytes = max(out.PushConstantBytes, n)
		case StorageUniformConstant, StorageUniform, StorageStorageBuffer:
			b, err := r.binding(id, storage, ptr.Elem)
			if err != nil {
				return err
			}
			k := key{b.Set, b.Binding}
			if old, twice := byKey[k]; twice {
				if b, err = alias(old, b); err != nil {
					return err
				}
			}
			byKey[k] = b
		}
	}
	for _, b := range byKey {
		out.Bindings = append(out.Bindings, b)
	}
	sort.Slice(out.Bindings, func(i, j int) bool {
		a, b := out.Bindings[i], out.Bindings[j]
		return a.Set < b.Set || a.Set == b.Set && a.Binding < b.Binding
	})
	return nil
}

// alias joins two variables at one binding: views of a buffer under different
// types.
func alias(a, b Binding) (Binding, error) {
	if a.Kind != b.Kind || a.Count != b.Count {
		return a, fmt.Errorf("spirv: set %d binding %d is both %s %s and %s %s", a.Set, a.Binding, a.Kind, a.Name, b.Kind, b.Name)
	}
	a.Bytes = max(a.Bytes, b.Bytes)
	a.Runtime = a.Runtime || b.Runtime
	a.Read, a.Write = a.Read || b.Read, a.Write || b.Write
	return a, nil
}

func (r *reflector) pushConstants(typ uint32) (uint32, error) {
	t := r.types[typ]
	if t.Kind != KindStruct {
		return 0, fmt.Errorf("spirv: push constant block %%%d is not a structure", typ)
	}
	n, err := r.size(typ)
	return (n + 3) &^ 3, err
}

func (r *reflector) binding(id, storage, typ uint32) (Binding, error) {
	b := Binding{Name: r.names[id], Count: 1, Read: true, Write: true}
	var okSet, okBinding bool
	b.Set, okSet = r.deco.Value(id, DecorationDescriptorSet)
	b.Binding, okBinding = r.deco.Value(id, DecorationBinding)
	t := r.types[typ]
	switch t.Kind {
	case KindArray:
		n, _, ok := r.uint(t.Length)
		if !ok {
			return b, fmt.Errorf("spirv: descriptor array %q has an unknown length", b.Name)
		}
		b.Count, t = n, r.types[t.Elem]
	case KindRuntimeArray:
		b.Count, t = 0, r.types[t.Elem]
	}
	if b.Name == "" {
		b.Name = r.names[t.ID]
	}
	if !okSet || !okBinding {
		return b, fmt.Errorf("spirv: variable %q has no set or binding", b.Name)
	}
	switch {
	case t.Kind == KindStruct && (storage == StorageStorageBuffer || r.deco.Has(t.ID, DecorationBufferBlock)):
		b.Kind = "storage"
		b.Read, b.Write = r.access(id, t)
	case t.Kind == KindStruct:
		b.Kind, b.Write = "uniform", false
	case t.Kind == KindImage:
		b.Kind = "image"
	case t.Kind == KindSampler:
		b.Kind, b.Write = "sampler", false
	case t.Kind == KindSampledImage:
		b.Kind, b.Write = "sampled_image", false
	default:
		b.Kind, b.Write = "other", false
	}
	if t.Kind != KindStruct {
		return b, nil
	}
	if n := len(t.Members); n > 0 {
		b.Runtime = r.types[t.Members[n-1]].Kind == KindRuntimeArray
	}
	var err error
	b.Bytes, err = r.size(t.ID)
	return b, err
}

// access reads the qualifiers readonly and writeonly, of the variable or of
// all members.
func (r *reflector) access(id uint32, t Type) (read, write bool) {
	all := func(kind uint32) bool {
		for i := range t.Members {
			if !r.deco.MemberHas(t.ID, uint32(i), kind) {
				return false
			}
		}
		return len(t.Members) > 0
	}
	write = !r.deco.Has(id, DecorationNonWritable) && !all(DecorationNonWritable)
	read = !r.deco.Has(id, DecorationNonReadable) && !all(DecorationNonReadable)
	return read, write
}

// size gives the bytes from a type's start to the end of its last component,
// by its layout decorations, without padding behind; a runtime array counts
// nothing.
func (r *reflector) size(id uint32) (uint32, error) {
	if n, ok := r.sizes[id]; ok {
		return n, nil
	}
	n, err := r.sizeOf(id)
	if err == nil && n > math.MaxUint32-4 {
		err = fmt.Errorf("spirv: type %%%d is larger than 4 GiB", id)
	}
	if err != nil {
		return 0, err
	}
	r.sizes[id] = uint32(n)
	return uint32(n), nil
}

func (r *reflector) sizeOf(id uint32) (uint64, error) {
	t, ok := r.types[id]
	if !ok {
		return 0, fmt.Errorf("spirv: type %%%d is not defined", id)
	}
	switch t.Kind {
	case KindInt, KindFloat:
		return uint64(t.Width+7) / 8, nil
	case KindPointer:
		return 8, nil
	case KindRuntimeArray:
		return 0, nil
	case KindVector:
		n, err := r.size(t.Elem)
		return uint64(n) * uint64(t.Count), err
	case KindArray:
		n, err := r.size(t.Elem)
		if err != nil {
			return 0, err
		}
		count, _, ok := r.uint(t.Length)
		if !ok {
			return 0, fmt.Errorf("spirv: array %%%d has an unknown length", id)
		}
		stride, ok := r.deco.Value(id, DecorationArrayStride)
		if !ok {
			return 0, fmt.Errorf("spirv: array %%%d has no stride", id)
		}
		if count == 0 {
			return 0, nil
		}
		return uint64(count-1)*uint64(stride) + uint64(n), nil
	case KindStruct:
		return r.structSize(t)
	}
	return 0, fmt.Errorf("spirv: %s has no size in a buffer", t)
}

func (r *reflector) structSize(t Type) (end uint64, err error) {
	for i, typ := range t.Members {
		off, ok := r.deco.MemberValue(t.ID, uint32(i), DecorationOffset)
		if !ok {
			return 0, fmt.Errorf("spirv: member %d of structure %q has no offset", i, r.names[t.ID])
		}
		n, err := r.memberSize(t.ID, uint32(i), typ)
		if err != nil {
			return 0, err
		}
		end = max(end, uint64(off)+n)
	}
	return end, nil
}

// memberSize is size for a member, where matrices carry their layout. An array
// of matrices is laid out by the array's stride and the matrix's own.
func (r *reflector) memberSize(structure, index, typ uint32) (uint64, error) {
	t := r.types[typ]
	if t.Kind == KindArray {
		count, _, ok := r.uint(t.Length)
		stride, ok2 := r.deco.Value(typ, DecorationArrayStride)
		if ok && ok2 && count > 0 {
			n, err := r.memberSize(structure, index, t.Elem)
			return uint64(count-1)*uint64(stride) + n, err
		}
	}
	if t.Kind != KindMatrix {
		n, err := r.size(typ)
		return uint64(n), err
	}
	column, ok := r.types[t.Elem]
	stride, ok2 := r.deco.MemberValue(structure, index, DecorationMatrixStride)
	if !ok || !ok2 || t.Count == 0 || column.Count == 0 {
		return 0, fmt.Errorf("spirv: matrix in member %d of %q has no layout", index, r.names[structure])
	}
	scalar, err := r.size(column.Elem)
	vectors, rows := t.Count, column.Count
	if r.deco.MemberHas(structure, index, DecorationRowMajor) {
		vectors, rows = rows, vectors
	}
	return uint64(vectors-1)*uint64(stride) + uint64(rows)*uint64(scalar), err
}
