package shaders

import (
	"embed"
	"sync"
)

//go:generate go run github.com/fornax-ml/fornax/tools/shaderc .

//go:embed all:spv
var builtin embed.FS

// The folder is never empty, since it has a .gitattributes: the tool that fills it
// imports this package and must build without it.

// Builtin gives fornax's own modules. They are read and checked at the first
// call; an error means that spv/ was changed by other means than tools/shaderc.
func Builtin() (*Set, error) { return loadBuiltin() }

var loadBuiltin = sync.OnceValues(func() (*Set, error) { return Load(builtin) })
