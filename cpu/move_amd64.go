//go:build !purego

package cpu

// movesAVX512 and movesAVX2 are the moves of the levels.

func movesAVX512() moves {
	m := movesAVX2()
	m.copyRows, m.streamRows, m.gatherRows = copyRows512, streamRows512, gatherRows512
	m.transpose = append([]transposer{{4, 16, transpose4x512}, {8, 8, transpose8x512}}, m.transpose...)
	return m
}

func movesAVX2() moves {
	return moves{
		copyRows: copyRows256, streamRows: streamRows256, gatherRows: gatherRows256, fence: fence,
		transpose: []transposer{{4, 8, transpose4x256}, {8, 4, transpose8x256}},
	}
}
