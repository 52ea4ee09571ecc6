package spirv

import "slices"

// Shape tells whether an opcode has a result type and a result id, which are
// then its first operands in this order. known is false for opcodes that the
// package has not heard of, mostly of vendors' extensions.
func Shape(op uint16) (hasType, hasResult, known bool) {
	if int(op) >= len(shapes) {
		return false, false, false
	}
	s := shapes[op]
	return s&shapeType != 0, s&shapeResult != 0, s&shapeKnown != 0
}

const (
	shapeKnown  = 1
	shapeType   = 2
	shapeResult = 4
)

// lastOp is the highest opcode in the table.
const lastOp = 6408

var shapes = makeShapes()

// makeShapes fills the table of Shape: the opcodes of the specification up to
// 1.6, and those of the extensions that compute shaders use. Most give a
// value, so the exceptions are listed.
func makeShapes() (t [lastOp + 1]uint8) {
	for _, r := range [][2]uint16{
		{0, 403},                   // core, 1.0 to 1.6
		{4416, 4416},               // OpTerminateInvocation
		{4421, 4422}, {4428, 4432}, // SPV_KHR_shader_ballot, subgroup vote and rotate
		{4450, 4455}, // SPV_KHR_integer_dot_product
		{4456, 4460}, // SPV_KHR_cooperative_matrix
		{5293, 5293}, // SPV_NV_cooperative_matrix2
		{5366, 5379}, {5382, 5382}, {5384, 5384}, {5390, 5390},
		{5614, 5615}, // SPV_EXT_shader_atomic_float_min_max
		{5632, 5633}, // OpDecorateString, OpMemberDecorateString
		{6035, 6035}, // SPV_EXT_shader_atomic_float_add
		{6401, 6408}, // SPV_KHR_uniform_group_instructions
	} {
		for op := r[0]; op <= r[1]; op++ {
			t[op] = shapeKnown | shapeType | shapeResult
		}
	}
	for _, op := range unassigned {
		t[op] = 0
	}
	for _, op := range resultOnly {
		t[op] = shapeKnown | shapeResult
	}
	for _, op := range noResult {
		t[op] = shapeKnown
	}
	return t
}

// span lists the numbers from a to b.
func span(a, b uint16) (out []uint16) {
	for op := a; op <= b; op++ {
		out = append(out, op)
	}
	return out
}

// resultOnly lists the opcodes with a result id but no type.
var resultOnly = slices.Concat(
	[]uint16{7, 11},                      // OpString, OpExtInstImport
	span(19, 38),                         // OpType…
	[]uint16{73, 248},                    // OpDecorationGroup, OpLabel
	[]uint16{322, 327, 4456, 5370, 5371}, // OpTypePipeStorage, OpTypeNamedBarrier, cooperative matrix types
)

// noResult lists the opcodes with neither.
var noResult = slices.Concat(
	[]uint16{0, 2, 3, 4, 5, 6, 8, 10, 14, 15, 16, 17, 39, 56, 62, 63, 64, 71, 72, 74, 75, 99},
	span(218, 221), []uint16{224, 225, 228}, span(246, 247), span(249, 257),
	[]uint16{260, 280, 281, 287, 288, 297, 298, 301, 302, 317, 319, 329, 330, 331, 332},
	[]uint16{4416, 4458, 5368, 5632, 5633},
)

// unassigned lists the holes in the core numbering.
var unassigned = slices.Concat(
	[]uint16{9, 13, 18, 40, 47, 53, 58, 76, 85, 108, 125, 153},
	[]uint16{192, 193, 206, 216, 217, 222, 223, 226, 243, 244, 258, 289, 290},
	span(367, 399),
)
