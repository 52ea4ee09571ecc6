package main

import "testing"

// TestBuiltinModulesAreFresh fails when a shader of fornax was changed and
// shaders/spv was not built again: run "go generate ./shaders".
func TestBuiltinModulesAreFresh(t *testing.T) {
	ok(t, "-check", "../../shaders")
}
