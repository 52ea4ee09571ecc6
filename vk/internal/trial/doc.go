// Package trial makes small programs with known answers. A device runs one before
// it first trusts a kernel's variant or an op's function on a driver, and compares
// what comes out with package tensor/ir/ref. It knows nothing of Vulkan's API.
package trial
