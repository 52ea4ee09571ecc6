package main

import (
	"runtime"
	"runtime/debug"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// gonumEngine is gonum's own product, in Go and assembly.
func gonumEngine() (engine, error) {
	about := "gonum"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "gonum.org/v1/gonum" {
				about += " " + m.Version
			}
		}
	}
	return productEngine(about, func(n int) { runtime.GOMAXPROCS(n) }, gonumProduct), nil
}

func gonumProduct(p product, a, b, c []float32) {
	x, tx := general(p.m, p.k, a, p.transA)
	y, ty := general(p.k, p.n, b, p.transB)
	blas32.Gemm(tx, ty, 1, x, y, 0, blas32.General{Rows: p.m, Cols: p.n, Stride: p.n, Data: c})
}

// general is a rows×cols matrix, or the transposed matrix that lies in memory.
func general(rows, cols int, data []float32, trans bool) (blas32.General, blas.Transpose) {
	if trans {
		return blas32.General{Rows: cols, Cols: rows, Stride: rows, Data: data}, blas.Trans
	}
	return blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: data}, blas.NoTrans
}
