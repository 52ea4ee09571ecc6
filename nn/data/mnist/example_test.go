package mnist_test

import (
	"fmt"

	"github.com/fornax-ml/fornax/nn/data/mnist"
)

func ExampleLoad() {
	train, test, err := mnist.Load("")
	if err != nil {
		fmt.Println(err)
		return
	}
	mean, std := train.MeanStd()
	fmt.Printf("%d and %d images of %dx%d, mean %.4f, std %.4f\n", train.Len(), test.Len(), train.H, train.W, mean, std)
	// Output: 60000 and 10000 images of 28x28, mean 0.1307, std 0.3081
}
