//go:build !openblas || !cgo || windows

package main

import "errors"

func openblasEngine() (engine, error) {
	return engine{}, errors.New("built without it: go run -tags openblas ./tools/bench, with cgo")
}
