package main

import (
	"fmt"
	"io"
	"maps"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

func newHeader(l *lab, passes int) record.Header {
	dev := cpu.New(cpu.Options{})
	defer dev.Close()
	h := record.Header{
		Processor: dev.Info().Model, System: runtime.GOOS + "/" + runtime.GOARCH, GOMAXPROCS: runtime.GOMAXPROCS(0),
		Go: runtime.Version(), Commit: commit(), Levels: cpu.Levels(), Passes: passes, Quick: l.quick, Peers: map[string]string{},
	}
	for key, p := range l.peers {
		if h.Peers[key] = "missing: " + fmt.Sprint(p.err); p.err == nil {
			h.Peers[key] = p.peer.about
		}
	}
	return h
}

// commit returns what was built: from the build, or else of the folder.
func commit() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// about writes the head of the tables.
func about(w io.Writer, h record.Header) {
	title := "CPU"
	if h.Device != "" {
		title = h.Device
	}
	fmt.Fprintf(w, "# "+title+"\n\n%s, %s, GOMAXPROCS %d, %s, commit %s, levels %s; passes: %d", h.Processor, h.System, h.GOMAXPROCS, h.Go, h.Commit, strings.Join(h.Levels, ", "), h.Passes)
	if h.Quick {
		fmt.Fprint(w, ", quick")
	}
	fmt.Fprint(w, ".\nA cell is the median over the passes (least–most). Ratio: the peer's time to ours; above 1 we are faster.\n\n")
	for _, key := range slices.Sorted(maps.Keys(h.Peers)) {
		fmt.Fprintf(w, "- %s: %s\n", key, h.Peers[key])
	}
}
