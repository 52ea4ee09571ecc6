package nn_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

func TestFans(t *testing.T) {
	in, out := nn.Fans(10, 20)
	require.Equal(t, [2]int{20, 10}, [2]int{in, out})
	in, out = nn.Fans(64, 3, 5, 7)
	require.Equal(t, [2]int{3 * 35, 64 * 35}, [2]int{in, out})
	require.Error(t, tensor.Try(func() { nn.Fans(3) }))
}

// TestInitializers compares mean, deviation and bounds with the formulas.
func TestInitializers(t *testing.T) {
	const out, in = 200, 300
	relu := math.Sqrt2
	tests := []struct {
		name    string
		init    nn.Initializer
		std     float64
		uniform bool
		mean    float64
	}{
		{"KaimingUniform", nn.KaimingUniform(nn.KaimingConfig{}), relu / math.Sqrt(in), true, 0},
		{"KaimingUniform out", nn.KaimingUniform(nn.KaimingConfig{Mode: nn.FanOut, Gain: nn.GainTanh}), 5.0 / 3 / math.Sqrt(out), true, 0},
		{"KaimingNormal", nn.KaimingNormal(nn.KaimingConfig{}), relu / math.Sqrt(in), false, 0},
		{"XavierUniform", nn.XavierUniform(0), math.Sqrt(2.0 / (in + out)), true, 0},
		{"XavierNormal", nn.XavierNormal(2), 2 * math.Sqrt(2.0/(in+out)), false, 0},
		{"Uniform", nn.Uniform(1, 3), 2 / math.Sqrt(12), true, 2},
		{"Normal", nn.Normal(-1, 0.5), 0.5, false, -1},
		// torch's Linear: Kaiming with a = √5 is U(-1/√in, 1/√in).
		{"Linear", nn.KaimingUniform(nn.KaimingConfig{Gain: nn.GainLeakyReLU(math.Sqrt(5))}), 1 / math.Sqrt(3*in), true, 0},
	}
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		for _, test := range tests {
			x := values[float32](t, test.init(tensor.NewRNG(1), d, out, in))
			mean, square, largest := 0.0, 0.0, 0.0
			for _, v := range x {
				mean += float64(v)
			}
			mean /= float64(len(x))
			for _, v := range x {
				square += (float64(v) - mean) * (float64(v) - mean)
				largest = max(largest, math.Abs(float64(v)-test.mean))
			}
			std := math.Sqrt(square / float64(len(x)))
			require.InDelta(t, test.mean, mean, 5*test.std/math.Sqrt(in*out), test.name)
			require.InEpsilon(t, test.std, std, 0.02, test.name)
			if bound := math.Sqrt(3) * test.std; test.uniform {
				require.LessOrEqual(t, largest, bound*(1+1e-6), test.name)
				require.Greater(t, largest, 0.99*bound, test.name)
			} else {
				require.Greater(t, largest, 3*test.std, test.name)
			}
		}
	})
	d := cpu(t)
	require.Equal(t, []float32{2, 2}, values[float32](t, nn.Constant(2)(nil, d, 2)))
	require.Equal(t, []float32{0, 0}, values[float32](t, nn.Zeros(nil, d, 2)))
}

func TestLinearInit(t *testing.T) {
	l := nn.NewLinear(cpu(t), tensor.NewRNG(1), 400, 50)
	for _, p := range []*nn.Param{l.Weight, l.Bias} {
		largest := item(t, p.Value().Abs().Max())
		require.LessOrEqual(t, largest, 0.05)
		require.Greater(t, largest, 0.04)
	}
	other := nn.NewLinear(cpu(t), tensor.NewRNG(1), 400, 50)
	require.Equal(t, snapshot(t, l), snapshot(t, other), "one seed, one model")
}

func TestSchedules(t *testing.T) {
	at := func(s nn.Schedule, steps ...int) (l []float64) {
		for _, n := range steps {
			l = append(l, s(n))
		}
		return l
	}
	close := func(want, got []float64) {
		t.Helper()
		require.InDeltaSlice(t, want, got, 1e-12)
	}
	close([]float64{0.5, 0.5}, at(nn.ConstantLR(0.5), 0, 1000))
	close([]float64{1, 1, 0.1, 0.1, 0.01}, at(nn.StepLR(1, 0.1, 2), 0, 1, 2, 3, 4))
	close([]float64{2, 1, 0.5}, at(nn.ExponentialLR(2, 0.5), 0, 1, 2))
	cosine := nn.CosineLR(nn.CosineConfig{LR: 1, Min: 0.1, Warmup: 4, Steps: 9})
	half := 0.1 + 0.9*(1+math.Sqrt2/2)/2
	close([]float64{0.25, 0.5, 0.75, 1, 1, half, 0.55, 1.1 - half, 0.1, 0.1}, at(cosine, 0, 1, 2, 3, 4, 5, 6, 7, 8, 100))
	close([]float64{1, 0}, at(nn.CosineLR(nn.CosineConfig{LR: 1, Steps: 2}), 0, 1))
	// torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10): the peak
	// is at step 0.3·10 - 1 = 2.
	one := nn.OneCycleLR(nn.OneCycleConfig{LR: 1, Steps: 10})
	last := 0.04 / 1e4
	close([]float64{0.04, 0.52, 1, last + (1-last)*(1+math.Cos(math.Pi/7))/2, last, last}, at(one, 0, 1, 2, 3, 9, 10))
	for _, v := range at(nn.OneCycleLR(nn.OneCycleConfig{LR: 1, Steps: 1}), 0, 1) {
		require.False(t, math.IsNaN(v))
	}
}
