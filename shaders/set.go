package shaders

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
)

// magic is the first word of a SPIR-V module.
const magic = 0x07230203

// Set is a folder's modules by name. It is not changed after Load.
type Set struct {
	manifest *Manifest
	byName   map[string]*Module
}

// Load reads the manifest and its modules from the root of fsys or from its
// folder spv, which is what "//go:embed all:spv" gives. All problems are
// reported together, each naming its module.
func Load(fsys fs.FS) (*Set, error) {
	dir := "."
	data, err := fs.ReadFile(fsys, ManifestName)
	if errors.Is(err, fs.ErrNotExist) {
		dir = "spv"
		data, err = fs.ReadFile(fsys, path.Join(dir, ManifestName))
	}
	if err != nil {
		return nil, fmt.Errorf("shaders: %w", err)
	}
	m, err := ParseManifest(data)
	if err != nil {
		return nil, err
	}
	s := &Set{m, make(map[string]*Module, len(m.Modules))}
	var errs []error
	for _, x := range m.Modules {
		file, err := fs.ReadFile(fsys, path.Join(dir, x.File))
		if err == nil {
			err = x.Attach(file)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("shaders: module %q: %w", x.Name, err))
			continue
		}
		s.byName[x.Name] = x
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// Attach gives a module its SPIR-V, after comparing it with the manifest.
func (m *Module) Attach(file []byte) error {
	if len(file) != m.Size {
		return fmt.Errorf("%s has %d bytes, the manifest says %d", m.File, len(file), m.Size)
	}
	if len(file) < 20 || len(file)%4 != 0 {
		return fmt.Errorf("%s: %d bytes are no SPIR-V module", m.File, len(file))
	}
	if w := binary.LittleEndian.Uint32(file); w != magic {
		return fmt.Errorf("%s begins with %#08x, not with SPIR-V's magic number", m.File, w)
	}
	sum := sha256.Sum256(file)
	if got := hex.EncodeToString(sum[:]); got != m.SHA256 {
		return fmt.Errorf("%s has sha256 %s, the manifest says %s", m.File, got, m.SHA256)
	}
	m.words = make([]uint32, len(file)/4)
	for i := range m.words {
		m.words[i] = binary.LittleEndian.Uint32(file[4*i:])
	}
	return nil
}

// Module finds a module.
func (s *Set) Module(name string) (*Module, bool) {
	m, ok := s.byName[name]
	return m, ok
}

// Names lists the modules' names, sorted.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.byName)) }

// Modules lists the modules in the order of their names.
func (s *Set) Modules() []*Module {
	out := make([]*Module, 0, len(s.byName))
	for _, name := range s.Names() {
		out = append(out, s.byName[name])
	}
	return out
}

// Len gives the number of modules.
func (s *Set) Len() int { return len(s.byName) }
