package nn

import "math"

// A Schedule gives the learning rate of step 0, 1, …; a pure function, so that
// training goes on anywhere. It is applied with Optimizer.SetLR, and counts
// steps or epochs as the caller does.
type Schedule func(step int) float64

// ConstantLR is lr at every step.
func ConstantLR(lr float64) Schedule { return func(int) float64 { return lr } }

// StepLR is lr·γ^⌊step/every⌋, as torch's StepLR. Every below 1 counts as 1.
func StepLR(lr, gamma float64, every int) Schedule {
	every = max(every, 1)
	return func(step int) float64 { return lr * math.Pow(gamma, float64(step/every)) }
}

// ExponentialLR is lr·γ^step, as torch's ExponentialLR.
func ExponentialLR(lr, gamma float64) Schedule {
	return func(step int) float64 { return lr * math.Pow(gamma, float64(step)) }
}

// CosineConfig configures CosineLR.
type CosineConfig struct {
	LR     float64 // η, the highest rate
	Min    float64 // η₀, the rate of the last step and after
	Warmup int     // steps W of linear growth
	Steps  int     // T, warmup included
}

// CosineLR warms up linearly and then falls along half a cosine:
//
//	η·(step + 1)/W                                      step < W
//	η₀ + (η - η₀)·(1 + cos(π·(step - W)/(T - 1 - W)))/2   W ≤ step < T
//
// Loshchilov and Hutter (2017), "SGDR", equation 5, without restarts.
func CosineLR(c CosineConfig) Schedule {
	return func(step int) float64 {
		if step < c.Warmup {
			return c.LR * float64(step+1) / float64(c.Warmup)
		}
		if step >= c.Steps-1 {
			return c.Min
		}
		return cosine(c.LR, c.Min, float64(step-c.Warmup)/float64(c.Steps-1-c.Warmup))
	}
}

// OneCycleConfig configures OneCycleLR. Zero numbers mean torch's defaults.
type OneCycleConfig struct {
	LR       float64 // η, the highest rate
	Steps    int     // T, all steps
	PctStart float64 // share of the steps in which the rate grows, default 0.3
	Div      float64 // the first rate is η/Div, default 25
	FinalDiv float64 // the last rate is η/Div/FinalDiv, default 1e4
}

// OneCycleLR grows from η/Div to η and falls to η/Div/FinalDiv, both along half
// a cosine, as torch's OneCycleLR; the last step's rate stays afterwards. Smith
// and Topin (2018), "Super-Convergence".
func OneCycleLR(c OneCycleConfig) Schedule {
	first := c.LR / orDefault(c.Div, 25)
	last := first / orDefault(c.FinalDiv, 1e4)
	peak := orDefault(c.PctStart, 0.3)*float64(c.Steps) - 1
	end := float64(c.Steps - 1)
	return func(step int) float64 {
		s := float64(step)
		switch {
		case s >= end:
			return last
		case s <= peak:
			return cosine(first, c.LR, s/peak)
		}
		return cosine(c.LR, last, (s-peak)/(end-peak))
	}
}

// cosine goes from a to b along half a cosine as t goes from 0 to 1.
func cosine(a, b, t float64) float64 { return b + (a-b)*(1+math.Cos(math.Pi*t))/2 }
