package main

// A rule says what the packages that its pattern matches may import of the
// module. A pattern is a folder, or a folder and "/..." for all below it too.
// The first rule that matches a package holds for it. Its own tree is listed too,
// where the packages of that tree may import each other.
type rule struct {
	pattern string
	may     []string
	stdOnly bool // nothing of other modules either
}

// rules are the arrows of the architecture.
var rules = []rule{
	{pattern: "tensor/ir/...", may: []string{"tensor/ir/..."}, stdOnly: true},
	{pattern: "tensor/plan/...", may: []string{"tensor/ir/...", "tensor/plan/..."}},
	{pattern: "tensor/devicetest/...", may: []string{"tensor", "tensor/ir/...", "tensor/plan/...", "tensor/devicetest/..."}},
	{pattern: "tensor/...", may: []string{"tensor/ir/...", "tensor/plan/...", "tensor/internal/...", "cpu"}},
	{pattern: "cpu/...", may: []string{"tensor/ir/...", "cpu/..."}},
	{pattern: "shaders/...", may: []string{"shaders/..."}},
	{pattern: "vk/internal/driver/..."},
	{pattern: "vk/...", may: []string{"tensor/ir/...", "shaders/...", "vk/internal/..."}},
	{pattern: "nn/data/...", may: []string{"nn/data/..."}},
	{pattern: "nn/...", may: []string{"tensor", "nn/..."}},
	// Programs tie everything together.
	{pattern: "tools/...", may: []string{"..."}},
	{pattern: "examples/...", may: []string{"..."}},
}

// programs are the parts of the tree that hold no library.
var programs = []string{"tools/...", "examples/..."}

// testHelpers are imports that only tests may have, and testLibraries the
// packages that are tests although their files are not named so.
var (
	testHelpers   = []string{"testing/...", "net/http/httptest", "github.com/stretchr/testify/..."}
	testLibraries = []string{"tensor/devicetest/...", "nn/nntest/..."}
)

// confined are packages of other modules that only some parts of the tree may
// import, tests included: the library shall not need them.
var confined = map[string][]string{
	"gonum.org/v1/gonum/...": {"tools/bench/..."},
	"gonum.org/v1/plot/...":  {"tools/bench/..."},
}

// maxLines is the length of the longest file written by hand.
const maxLines = 600

// longFiles are the files that may be longer, with the reason.
var longFiles = map[string]string{}

// undocumented are methods that need no comment: their name says it all.
var undocumented = map[string]bool{"Error": true, "String": true, "Unwrap": true, "Is": true, "As": true}
