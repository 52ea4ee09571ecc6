package mnist

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fornax-ml/fornax/nn/data"
)

func TestLoad(t *testing.T) {
	t.Setenv(Env, "")
	train, test, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 60000 || test.Len() != 10000 || train.H != 28 || train.W != 28 || test.H != 28 || test.W != 28 {
		t.Errorf("%d and %d images of %dx%d", train.Len(), test.Len(), train.H, train.W)
	}
	if train.Labels[0] != 5 || test.Labels[0] != 7 {
		t.Errorf("first labels %d and %d, want 5 and 7", train.Labels[0], test.Labels[0])
	}
	// The well-known figures of this data.
	if mean, std := train.MeanStd(); math.Abs(mean-0.1307) > 5e-5 || math.Abs(std-0.3081) > 5e-5 {
		t.Errorf("mean %.4f, std %.4f, want 0.1307, 0.3081", mean, std)
	}
}

func TestLoadFolder(t *testing.T) {
	empty := t.TempDir()
	for name, load := range map[string]func() error{
		"argument":    func() error { _, _, err := Load(empty); return err },
		"environment": func() error { t.Setenv(Env, empty); _, _, err := Load(""); return err },
	} {
		if err := load(); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), empty) {
			t.Errorf("%s: got %v, want that %s has no files", name, err, empty)
		}
	}
}

// The go command finds the module where the environment does not say where.
func TestDownload(t *testing.T) {
	dir, err := download()
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(dir); err != nil {
		t.Error(err)
	}
}

func TestNoGoCommand(t *testing.T) {
	t.Setenv(Env, "")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("PATH", t.TempDir())
	_, _, err := Load("")
	if err == nil || !strings.Contains(err.Error(), "no go command") || !strings.Contains(err.Error(), Env) {
		t.Errorf("got %v, want an error that names the missing go command and %s", err, Env)
	}
}

func TestDownloadFails(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for the go command is a shell script")
	}
	tests := []struct{ name, script, says string }{
		{"error in the answer", `echo '{"Error": "no such host"}'; exit 1`, "no such host"},
		{"error on stderr", `echo 'flag provided but not defined' >&2; exit 2`, "flag provided but not defined"},
		{"no answer", `exit 0`, "no folder in its answer"},
	}
	for _, test := range tests {
		bin := t.TempDir()
		if err := os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\n"+test.script+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", bin)
		if _, err := download(); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.says)
		}
	}
}

func TestVerify(t *testing.T) {
	dir := t.TempDir()
	if err := verify(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no files: %v", err)
	}
	for name := range sums {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("not these"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := verify(dir); !errors.Is(err, data.ErrFormat) || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("other files: %v", err)
	}
}

func TestCacheFolder(t *testing.T) {
	t.Setenv("GOMODCACHE", "")
	t.Setenv("GOPATH", "first"+string(filepath.ListSeparator)+"second")
	if got, want := cacheFolder(), filepath.Join("first", "pkg", "mod"); got != want {
		t.Errorf("from GOPATH: %s, want %s", got, want)
	}
}
