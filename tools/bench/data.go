package main

// fill returns n numbers of [-1/2, 1/2)·scale, the same on every contender: a
// hash of an element's number and a seed, of which 24 bits count. torch.py has
// the same function.
func fill(n int, seed uint32, scale float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = (float32(hash(i, seed)>>8)/(1<<24) - 0.5) * scale
	}
	return x
}

// picks returns n numbers of [0, limit).
func picks(n int, seed uint32, limit int) []int32 {
	x := make([]int32, n)
	for i := range x {
		x[i] = int32((hash(i, seed) >> 8) % uint32(limit))
	}
	return x
}

func hash(i int, seed uint32) uint32 {
	h := uint32(i)*2654435761 + seed*40503
	h ^= h >> 15
	h *= 2246822519
	return h ^ h>>13
}
