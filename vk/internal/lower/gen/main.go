// Gen writes shaders/dispatch.glsl, whose path is its argument.
package main

import (
	"log"
	"os"

	"github.com/fornax-ml/fornax/vk/internal/lower"
)

func main() {
	if err := os.WriteFile(os.Args[1], []byte(lower.DispatchGLSL()), 0o644); err != nil {
		log.Fatal(err)
	}
}
