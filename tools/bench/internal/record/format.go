package record

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Digits shows three digits that count, or all before the point.
func Digits(x float64) string {
	if a := math.Abs(x); a > 0 && !math.IsInf(x, 0) {
		// The power of ten after rounding: 0.9999 is 1.00.
		_, e, _ := strings.Cut(fmt.Sprintf("%.2e", a), "e")
		power, _ := strconv.Atoi(e)
		return fmt.Sprintf("%.*f", max(0, 2-power), x)
	}
	return fmt.Sprint(x)
}

// prefixes are those of units, each a thousand times the one before.
var prefixes = []string{"n", "µ", "m", "", "k", "M", "G", "T", "P"}

// Show shows a number with its unit and a prefix that fits: Show(2e-6, "s") is "2.00 µs".
// Counts, whose unit is a word, have no prefix.
func Show(x float64, unit string) string {
	switch {
	case unit == "":
		return Digits(x)
	case unit != "s" && unit != "B" && !strings.HasSuffix(unit, "/s"):
		return Count(x) + " " + unit
	}
	i := 3
	if x > 0 {
		i = min(max(3+int(math.Floor(math.Log10(x*1.0005)/3)), 0), len(prefixes)-1)
	}
	if unit == "s" {
		i = min(i, 3)
	}
	return Digits(x/math.Pow(1000, float64(i-3))) + " " + prefixes[i] + strings.Replace(unit, "flop", "FLOP", 1)
}

// Count shows a whole number with commas between thousands, and others with three digits.
func Count(x float64) string {
	if x != math.Trunc(x) || math.Abs(x) > 1e15 {
		return Digits(x)
	}
	s := fmt.Sprintf("%.0f", math.Abs(x))
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if x < 0 {
		s = "-" + s
	}
	return s
}

// Label is a short name of the device for people.
func (d Device) Label() string {
	if d.Host() {
		words := strings.Fields(d.Driver)
		if len(words) > 0 {
			return "CPU " + words[len(words)-1]
		}
		return "CPU"
	}
	name, _, _ := strings.Cut(d.Model, " (")
	name = strings.TrimSuffix(name, " Device")
	if name = strings.TrimSpace(name); name == "" {
		return d.ID
	}
	return name
}
