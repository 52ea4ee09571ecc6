package auto

import "math/bits"

// A set has members, by bit.
type set uint64

func (s set) has(member int) bool { return s>>member&1 != 0 }

// one is the set of a member.
func one(member int) set { return 1 << member }

// lowest returns the first member of a set that has one.
func (s set) lowest() int { return bits.TrailingZeros64(uint64(s)) }

// several reports whether there is more than one.
func (s set) several() bool { return s&(s-1) != 0 }
