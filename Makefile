# make demo trains on MNIST; make test is all that must hold of a commit.
# What is behind each target is in the script or program that it calls.
.PHONY: demo test setup lint fmt shaders generate clean

demo:
	go run ./examples/mnist

test:
	tools/check/test.sh

# The software drivers, compilers and validation layers that the tests need.
setup:
	tools/setup/setup.sh

lint:
	tools/check/test.sh format vet staticcheck tree

fmt:
	gofmt -w .

# Compile the GLSL sources into the modules that the library embeds.
shaders:
	go run ./tools/shaderc shaders

generate:
	go generate ./...

clean:
	rm -rf bin .cache
