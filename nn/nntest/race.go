//go:build race

package nntest

// raceEnabled: the race detector's own memory grows with what it sees.
const raceEnabled = true
