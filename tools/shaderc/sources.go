package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// sourceFile is a file that a shader consists of, as read once: the hash, the
// compiler and the messages all speak of the same bytes.
type sourceFile struct {
	root int    // 0 is DIR, 1 and up the -I folders
	path string // slash-separated, relative to its root
	data []byte
}

// name is the file's name in manifests: files of -I folders in angle brackets.
func (f *sourceFile) name() string {
	if f.root == 0 {
		return f.path
	}
	return "<" + f.path + ">"
}

func (f *sourceFile) sha256() string {
	sum := sha256.Sum256(f.data)
	return hex.EncodeToString(sum[:])
}

// tree reads files under DIR and the -I folders, each once.
type tree struct {
	roots []string // DIR, then the -I folders, as the user wrote them
	files map[string]*sourceFile
}

func newTree(dir string, include []string) *tree {
	return &tree{append([]string{dir}, include...), make(map[string]*sourceFile)}
}

// open reads a file, or gives nil where there is none.
func (t *tree) open(root int, p string) (*sourceFile, error) {
	key := fmt.Sprintf("%d:%s", root, p)
	if f, ok := t.files[key]; ok {
		return f, nil
	}
	name := filepath.Join(t.roots[root], filepath.FromSlash(p))
	info, err := os.Stat(name)
	var f *sourceFile
	if err == nil && !info.IsDir() {
		var data []byte
		data, err = os.ReadFile(name)
		// A checkout with CRLF line ends has the same hash and the same SPIR-V.
		data = []byte(strings.ReplaceAll(string(data), "\r\n", "\n"))
		f = &sourceFile{root, p, data}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	t.files[key] = f
	return f, nil
}

// show gives the name under which the user knows a file.
func (t *tree) show(root int, p string) string { return slashJoin(t.roots[root], p) }

var includeLine = regexp.MustCompile(`^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>)`)

// includes lists the names that a file includes with their lines, whatever
// the preprocessor's conditions: a superset of what is compiled.
func includes(data []byte) (names []string, lines []int) {
	for i, line := range strings.Split(string(data), "\n") {
		if g := includeLine.FindStringSubmatch(line); g != nil {
			names, lines = append(names, g[1]+g[2]), append(lines, i+1)
		}
	}
	return names, lines
}

// closure gives a shader and all that it includes, in order of first mention.
// A name is looked for beside the file that includes it, then in DIR, then in
// the -I folders. Names found nowhere are left for the compiler to report:
// they may stand in a branch that is not taken.
func (t *tree) closure(shader string) ([]*sourceFile, error) {
	first, err := t.open(0, shader)
	if err != nil {
		return nil, err
	}
	if first == nil {
		return nil, fmt.Errorf("%s: no such file", t.show(0, shader))
	}
	list := []*sourceFile{first}
	seen := map[*sourceFile]bool{first: true}
	for i := 0; i < len(list); i++ {
		f := list[i]
		names, lines := includes(f.data)
		for k, name := range names {
			g, err := t.resolve(f, name)
			if err != nil {
				return nil, diag{t.show(f.root, f.path), lines[k], err.Error()}
			}
			if g != nil && !seen[g] {
				seen[g] = true
				list = append(list, g)
			}
		}
	}
	return list, nil
}

func (t *tree) resolve(from *sourceFile, name string) (*sourceFile, error) {
	if path.IsAbs(name) || strings.Contains(name, "\\") || filepath.IsAbs(name) {
		return nil, fmt.Errorf("#include %q: absolute paths and backslashes do not work on every machine", name)
	}
	outside := false
	try := func(root int, p string) (*sourceFile, error) {
		if p = path.Clean(p); p == ".." || strings.HasPrefix(p, "../") {
			outside = true
			return nil, nil
		}
		return t.open(root, p)
	}
	if f, err := try(from.root, path.Join(path.Dir(from.path), name)); f != nil || err != nil {
		return f, err
	}
	for root := range t.roots {
		if f, err := try(root, name); f != nil || err != nil {
			return f, err
		}
	}
	if outside {
		return nil, fmt.Errorf("#include %q leaves its folder: name the other folder with -I", name)
	}
	return nil, nil
}

// stage writes a shader's files under a new folder: DIR's under 0, those of
// the first -I folder under 1, and so on. Compiling there, with relative
// paths, gives the same bytes wherever the sources lie.
func stage(dir string, files []*sourceFile, roots int) error {
	for i := range roots {
		if err := os.MkdirAll(filepath.Join(dir, fmt.Sprint(i)), 0o755); err != nil {
			return err
		}
	}
	for _, f := range files {
		name := filepath.Join(dir, fmt.Sprint(f.root), filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

var stagedName = regexp.MustCompile(`^\.\./(\d+)/(.*)$`)

// unstage turns a name that the compiler, run in the folder 0, knows a file by
// into the user's.
func (t *tree) unstage(name string) string {
	name = path.Clean(filepath.ToSlash(name))
	if g := stagedName.FindStringSubmatch(name); g != nil {
		if root := atoi(g[1]); root < len(t.roots) {
			return t.show(root, g[2])
		}
	}
	if name == "." || path.IsAbs(name) {
		return name
	}
	return t.show(0, name)
}
