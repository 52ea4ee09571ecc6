// Check holds the source tree to the project's own rules. "make test" runs it.
//
//	go run ./tools/check               # the tree: imports, lengths, documentation
//	go test -json … | go run ./tools/check -results [-vulkan]
//
// # The tree
//
// Imports: the arrows of the architecture, written down as a table in rules.go,
// one row for each part of the tree. A package that no row covers is an
// error, so that each new package gets its row. Files are parsed for
// every operating system and build tag at once; the go command's own list would
// leave out the files that the machine at hand does not build. Only tests in a
// package of their own (package vk_test) may import what the row does not say,
// because nothing can import them. Helpers for tests, such as package testing,
// stay out of what is not a test, but for tensor/devicetest, which is one, and
// for programs. Packages of other modules that only a tool needs are confined to
// it by name.
//
// Lengths: no Go, GLSL, C or assembly file written by hand has more than 600
// lines, but for the exceptions in a table, each with its reason. An exception
// that is not needed any more is an error too.
//
// Documentation: each package has a doc.go with the package's comment (a program
// may have it in main.go), and each exported name of a library package has a
// comment.
//
// # Test results
//
// With -results it reads the output of "go test -json" from standard input, and
// prints what go test prints without -json, and the skipped tests. It fails when
// a test or a build failed, or when nothing ran. With -vulkan it also fails when a
// test of package vk was skipped, or any test whose reason to skip names Vulkan:
// a machine that runs all tests has a driver. The one good reason to skip is that
// the driver at hand cannot do what the test is about; such a test says so with
// the words "device lacks".
package main
