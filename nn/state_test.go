package nn_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

func TestNames(t *testing.T) {
	m := newMLP(cpu(t), 1, 4, 3, 2)
	var names []string
	for name := range nn.Parameters(m) {
		names = append(names, name)
	}
	require.Equal(t, []string{"layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias", "scale"}, names)
	require.Equal(t, 4*3+3+3*2+2+1, nn.CountParameters(m))
	names = nil
	for name := range nn.Parameters(m.layers) {
		names = append(names, name)
		if len(names) == 2 {
			break
		}
	}
	require.Equal(t, []string{"0.weight", "0.bias"}, names)
	require.Empty(t, nn.StateDict(nn.Func((*tensor.Tensor).Exp)))
}

type badNames struct {
	nn.Leaf
	a, b *nn.Param
}

func (m badNames) Visit(v *nn.Visitor) {
	v.Param("w", m.a)
	v.Param("w", m.b)
}

func TestNameTwice(t *testing.T) {
	w := nn.NewParam(tensor.Ones(cpu(t)))
	require.PanicsWithValue(t, `nn: two parameters are called "w"`, func() {
		nn.StateDict(badNames{a: w, b: nn.NewParam(tensor.Ones(cpu(t)))})
	})
	require.Len(t, nn.StateDict(badNames{a: w, b: w}), 1)
}

func snapshot(t *testing.T, m nn.Tree) map[string][]float32 {
	s := map[string][]float32{}
	for name, x := range nn.StateDict(m) {
		s[name] = values[float32](t, x)
	}
	return s
}

func TestStateDictRoundTrip(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		a, b := newMLP(d, 1, 4, 3, 2), newMLP(cpu(t), 2, 4, 3, 2)
		before := snapshot(t, a)
		require.NotEqual(t, before, snapshot(t, b))
		require.NoError(t, nn.LoadStateDict(b, nn.StateDict(a), true))
		require.Equal(t, before, snapshot(t, b))
		require.NoError(t, nn.LoadStateDict(a, nn.StateDict(a), true), "its own state")
		require.Equal(t, before, snapshot(t, a))

		// What a state dict holds stays while training goes on.
		state := nn.StateDict(a)
		opt := nn.NewSGD(nn.Parameters(a), nn.SGDConfig{LR: 1})
		for range 2 {
			loss := nn.MSE(a.Forward(tensor.Ones(d, 5, 4)), tensor.Ones(d, 5, 2))
			opt.Step(loss)
			item(t, loss)
		}
		require.NotEqual(t, before, snapshot(t, a))
		for name, x := range state {
			require.Equal(t, before[name], values[float32](t, x))
		}
		require.NoError(t, nn.LoadStateDict(a, state, true))
		for _, x := range state {
			x.Free() // the parameters have their own copies
		}
		require.Equal(t, before, snapshot(t, a))
	})
}

func TestLoadStateDictErrors(t *testing.T) {
	d := cpu(t)
	m := newMLP(d, 1, 4, 3, 2)
	before := snapshot(t, m)
	state := nn.StateDict(newMLP(d, 2, 4, 3, 2))
	delete(state, "layers.0.bias")
	delete(state, "scale")
	state["layers.1.weight"] = tensor.Ones(d, 1)
	state["extra"] = tensor.Ones(d, 1)
	state["layers.0.weight"] = tensor.Ones(d, 4, 3)
	state["layers.2.bias"] = tensor.Ones(d, 2).Cast(tensor.I32)
	err := nn.LoadStateDict(m, state, true)
	var e *nn.StateError
	require.ErrorAs(t, err, &e)
	require.Equal(t, &nn.StateError{
		Missing:    []string{"layers.0.bias", "scale"},
		Unexpected: []string{"extra", "layers.1.weight"},
		Wrong:      []string{"layers.0.weight: f32[4 3], want f32[3 4]", "layers.2.bias: i32[2], want f32[2]"},
	}, e)
	require.Equal(t, "nn: state dict does not fit: missing: layers.0.bias, scale; unexpected: extra, layers.1.weight; "+
		"wrong: layers.0.weight: f32[4 3], want f32[3 4], layers.2.bias: i32[2], want f32[2]", err.Error())
	require.Equal(t, before, snapshot(t, m), "nothing changed")

	require.ErrorAs(t, nn.LoadStateDict(m, state, false), &e, "shapes matter all the same")
	require.Empty(t, e.Missing)
	require.Equal(t, before, snapshot(t, m))

	freed := tensor.FromSlice(d, []float32{1, 2})
	freed.Free()
	state = map[string]*tensor.Tensor{"scale": tensor.Full(d, 5), "layers.2.bias": freed}
	require.ErrorIs(t, nn.LoadStateDict(m, state, false), tensor.ErrFreed)
	require.Equal(t, before, snapshot(t, m))

	state = map[string]*tensor.Tensor{"scale": tensor.Full(d, 5).Cast(tensor.F64), "other": tensor.Ones(d)}
	require.NoError(t, nn.LoadStateDict(m, state, false))
	after := snapshot(t, m)
	require.Equal(t, []float32{5}, after["scale"])
	delete(after, "scale")
	delete(before, "scale")
	require.Equal(t, before, after)
}

// TestSharedParameter: a parameter with two names is in the state dict twice,
// is trained once, and loads from either name.
func TestSharedParameter(t *testing.T) {
	d := cpu(t)
	a := nn.NewLinear(d, tensor.NewRNG(1), 2, 2)
	m := nn.Sequential{a, &nn.Linear{Weight: a.Weight}}
	state := nn.StateDict(m)
	require.Equal(t, []string{"0.bias", "0.weight", "1.weight"}, slices.Sorted(maps.Keys(state)))
	require.Equal(t, 6, nn.CountParameters(m))
	delete(state, "0.weight")
	state["1.weight"] = tensor.Ones(d, 2, 2)
	require.NoError(t, nn.LoadStateDict(m, state, true))
	require.Equal(t, []float32{1, 1, 1, 1}, values[float32](t, a.Weight.Value()))
}

func TestFreeze(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		m := newMLP(d, 1, 3, 4, 2)
		opt := nn.NewAdamW(nn.Parameters(m), nn.AdamConfig{LR: 0.1})
		f := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
			loss := nn.MSE(m.Forward(in[0]), in[1])
			opt.Step(loss)
			return []*tensor.Tensor{loss}
		})
		changed := func() []string {
			before := snapshot(t, m)
			_, err := f.Call(tensor.Ones(d, 5, 3), tensor.Ones(d, 5, 2))
			require.NoError(t, err)
			var l []string
			for name, v := range snapshot(t, m) {
				if !slices.Equal(v, before[name]) {
					l = append(l, name)
				}
			}
			slices.Sort(l)
			return l
		}
		all := []string{"layers.0.bias", "layers.0.weight", "layers.2.bias", "layers.2.weight", "scale"}
		require.Equal(t, all, changed())
		nn.Freeze(m.layers[0], true)
		require.Equal(t, []string{"layers.2.bias", "layers.2.weight", "scale"}, changed())
		nn.Freeze(m, false)
		require.Equal(t, all, changed())
	})
}
