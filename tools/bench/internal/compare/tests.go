package compare

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// mostExact is up to how many measurements the distributions are counted out.
const mostExact = 24

// A ranked number is one of the numbers that are ranked together.
type ranked struct {
	x     float64
	group int
	rank  float64
}

// rank gives equal numbers the mean of their ranks, from 1, and returns Σ(t³-t) over the
// sizes t of the groups of equal ones.
func rank(l []ranked) (ties float64) {
	slices.SortFunc(l, func(a, b ranked) int { return cmp.Compare(a.x, b.x) })
	for i := 0; i < len(l); {
		j := i
		for j < len(l) && l[j].x == l[i].x {
			j++
		}
		for k := i; k < j; k++ {
			l[k].rank = float64(i+1+j) / 2
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return ties
}

// MannWhitney returns the probability, if a and b were of one distribution, that the ranks
// of one lie as far above the other's as they do, or farther: the U test, two-sided.
//
//	U = R - n(n+1)/2
//
// where R is the sum of the ranks of a among all, and n how many a has.
func MannWhitney(a, b []float64) float64 {
	n, m := len(a), len(b)
	if n == 0 || m == 0 {
		return 1
	}
	var l []ranked
	for _, x := range a {
		l = append(l, ranked{x: x})
	}
	for _, x := range b {
		l = append(l, ranked{x: x, group: 1})
	}
	ties := rank(l)
	u := -float64(n*(n+1)) / 2
	for _, r := range l {
		if r.group == 0 {
			u += r.rank
		}
	}
	mean := float64(n*m) / 2
	if ties == 0 && n+m <= mostExact {
		return twoSided(waysMannWhitney(n, m), u, mean)
	}
	all := float64(n + m)
	variance := mean / 6 * (all + 1 - ties/(all*(all-1)))
	return normal(u, mean, variance)
}

// waysMannWhitney returns how many orders of n and m numbers have each U: those of which
// the last is of the n, which add m, and those of which it is of the m.
func waysMannWhitney(n, m int) []float64 {
	ways := make([][][]float64, n+1)
	for i := range ways {
		ways[i] = make([][]float64, m+1)
		for j := range ways[i] {
			w := make([]float64, i*j+1)
			for u := range w {
				switch {
				case i == 0 || j == 0:
					w[u] = 1
				default:
					if u >= j {
						w[u] += ways[i-1][j][u-j]
					}
					if u <= i*(j-1) {
						w[u] += ways[i][j-1][u]
					}
				}
			}
			ways[i][j] = w
		}
	}
	return ways[n][m]
}

// Wilcoxon returns the probability, if the distribution of the differences were symmetric
// about 0, that the ranks of those above 0 differ as much from those below: the signed-rank
// test, two-sided. Differences of 0 are left out.
func Wilcoxon(differences []float64) float64 {
	var l []ranked
	for _, d := range differences {
		if d != 0 {
			group := 0
			if d > 0 {
				group = 1
			}
			l = append(l, ranked{x: math.Abs(d), group: group})
		}
	}
	n := len(l)
	if n == 0 {
		return 1
	}
	ties := rank(l)
	w := 0.0
	for _, r := range l {
		if r.group == 1 {
			w += r.rank
		}
	}
	mean := float64(n*(n+1)) / 4
	if ties == 0 && n <= mostExact {
		ways := []float64{1} // of subsets of the ranks, by sum
		for r := 1; r <= n; r++ {
			next := append(slices.Clone(ways), make([]float64, r)...)
			for s, k := range ways {
				next[s+r] += k
			}
			ways = next
		}
		return twoSided(ways, w, mean)
	}
	f := float64(n)
	return normal(w, mean, f*(f+1)*(2*f+1)/24-ties/48)
}

// twoSided returns the part of the ways whose statistic, their index, is as far from the
// mean as x or farther.
func twoSided(ways []float64, x, mean float64) float64 {
	far, all := 0.0, 0.0
	for i, k := range ways {
		all += k
		if math.Abs(float64(i)-mean) >= math.Abs(x-mean)-1e-9 {
			far += k
		}
	}
	return min(1, far/all)
}

// normal returns the two-sided probability by the normal distribution, with half a rank
// for continuity.
func normal(x, mean, variance float64) float64 {
	if variance <= 0 {
		return 1
	}
	z := max(0, math.Abs(x-mean)-0.5) / math.Sqrt(variance)
	return min(1, 2*distuv.UnitNormal.Survival(z))
}

// Holm corrects probabilities for their number: where those below a bound are taken, that
// any of them is accidental is no more probable than the bound.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	out, least := make([]float64, len(p)), 0.0
	for k, i := range order {
		least = max(least, min(1, p[i]*float64(len(p)-k)))
		out[i] = least
	}
	return out
}
