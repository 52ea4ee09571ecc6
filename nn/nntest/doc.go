// Package nntest is the training conformance suite: what a training run must
// keep on any device. Tests of backends call Run, as they call
// devicetest.Run for the kernels.
package nntest
