package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The committed files are those that the program writes.
func TestFresh(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go generate ./cpu", name)
		}
	}
	old, err := filepath.Glob("../z*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range old {
		if files[filepath.Base(path)] == nil {
			t.Errorf("nothing writes %s", path)
		}
	}
}
