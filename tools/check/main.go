package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	root := flag.String("root", ".", "the module's root `folder`")
	readResults := flag.Bool("results", false, "read go test -json from standard input")
	vulkan := flag.Bool("vulkan", false, "with -results: Vulkan tests must not be skipped")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	var problems []string
	var err error
	if *readResults {
		problems, err = results(os.Stdin, os.Stdout, *vulkan)
	} else {
		problems, err = checkTree(*root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(2)
	}
	for _, p := range problems {
		fmt.Println(p)
	}
	if len(problems) > 0 {
		fmt.Fprintf(os.Stderr, "check: %d problems\n", len(problems))
		os.Exit(1)
	}
}

// checkTree returns what is wrong with the tree below root.
func checkTree(root string) ([]string, error) {
	t, err := readTree(root)
	if err != nil {
		return nil, err
	}
	problems := t.imports(rules)
	problems = append(problems, t.lengths(maxLines, longFiles)...)
	return append(problems, t.docs()...), nil
}
