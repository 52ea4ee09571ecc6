package lower

import (
	"slices"
	"strings"
)

// A line is a vendor's GPUs that are alike, and the tile that public tuners of OpenCL
// found fastest there for large products of float32.
type line struct {
	vendor string
	models []string // any of these in the model's name; none: all others of the vendor
	tile   tileShape
	direct bool // without shared memory, by matmul_direct.comp
}

// lines are looked through in order.
var lines = []line{
	{"NVIDIA", []string{"GeForce RTX 40", "Ada Generation", "L40"}, tileShape{128, 64, 32, 4, 8}, false},
	{"NVIDIA", []string{"GTX 10", "Quadro P", "TITAN X", "Tesla P"}, tileShape{128, 128, 16, 8, 16}, false},
	{"NVIDIA", nil, tileShape{64, 128, 32, 8, 8}, false},
	{"AMD", []string{"RX 90", "NAVI4"}, tileShape{64, 128, 32, 8, 16}, false},
	{"AMD", []string{"RX 7", "NAVI3", "780M", "760M", "8060S"}, tileShape{64, 128, 32, 4, 16}, false},
	{"AMD", []string{"Radeon VII", "Vega", "MI25", "MI50", "MI60"}, tileShape{64, 64, 32, 4, 4}, false},
	{"AMD", nil, tileShape{128, 128, 16, 16, 8}, false},
	{"Intel", []string{"Iris", "UHD", "HD Graphics"}, tileShape{64, 64, 16, 8, 8}, false},
	{"Intel", nil, tileShape{64, 64, 0, 4, 8}, true},
	{"Qualcomm", nil, tileShape{64, 64, 0, 4, 8}, true},
	{"ARM", nil, tileShape{32, 64, 0, 4, 8}, true},
	{"Apple", nil, tileShape{32, 32, 32, 2, 4}, false},
}

// SetDefaults chooses the kernel that large products run on before they are tuned, for a
// vendor's model, and returns what it chose for people.
func (o *Options) SetDefaults(vendor, model string) string {
	for _, x := range lines {
		if x.vendor != vendor || x.models != nil && !slices.ContainsFunc(x.models, func(s string) bool { return strings.Contains(model, s) }) {
			continue
		}
		o.first, o.NoShared = x.tile, x.direct
		return "as tuned for " + vendor + " " + strings.Join(x.models, ", ")
	}
	return "as for GPUs that are not known"
}

// ordered are shapes with the device's own first, where it is of their kind.
func (o *Options) ordered(shapes []tileShape, direct bool) []tileShape {
	if o.first == (tileShape{}) || direct != (o.first.bk == 0) {
		return shapes
	}
	rest := slices.DeleteFunc(slices.Clone(shapes), func(t tileShape) bool { return t == o.first })
	return append([]tileShape{o.first}, rest...)
}
