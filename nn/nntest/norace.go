//go:build !race

package nntest

const raceEnabled = false
