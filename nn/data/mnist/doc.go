// Package mnist finds the MNIST images of handwritten digits.
//
// [Load] reads a folder, or the files inside a pinned Go module that the build
// has downloaded together with this package's imports: a program that uses it
// needs no other download. Users of package nn/data alone do not depend on that
// module.
package mnist
