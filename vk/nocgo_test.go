//go:build !cgo

package vk_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

func TestNoCgo(t *testing.T) {
	for _, b := range ir.Backends() {
		if b.Name() == "vulkan" {
			l, err := b.Devices()
			require.Empty(t, l)
			require.ErrorIs(t, err, vk.ErrNoCgo)
			_, err = b.Open(0)
			require.ErrorIs(t, err, vk.ErrNoCgo)
			return
		}
	}
	t.Fatal("not registered")
}
