//go:build race

package data

// raceEnabled says that the race detector is on, under which sync.Pool drops
// some of what it is given.
const raceEnabled = true
