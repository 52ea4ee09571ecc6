package data_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/fornax-ml/fornax/nn/data"
)

func ExampleReadIDX() {
	file := []byte{0, 0, 0x08, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6}
	x, err := data.ReadIDX(bytes.NewReader(file), data.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(x.Type, x.Shape, x.Data)

	_, err = data.ReadIDX(bytes.NewReader(file[:15]), data.Limits{})
	fmt.Println(err)
	// Output:
	// u8 [2 3] [1 2 3 4 5 6]
	// data: IDX: u8 array of shape [2 3]: elements: want 6 bytes, the stream ends after 3: malformed data: unexpected EOF
}

func ExampleLoader_Epoch() {
	x := []float32{0, 0, 0, 1, 1, 0, 1, 1, 2, 2}
	y := []int32{0, 1, 1, 0, 0}
	table, err := data.NewTable(x, y, []int{2}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	loader, err := data.NewLoader(table, data.LoaderConfig{BatchSize: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	for b, err := range loader.Epoch(context.Background(), 0) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(b.XShape, b.X, b.Y)
	}
	// Output:
	// [2 2] [0 0 0 1] [0 1]
	// [2 2] [1 0 1 1] [1 0]
	// [1 2] [2 2] [0]
}
