package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// An event is a line of "go test -json"; see "go doc test2json".
type event struct {
	Action, Package, Test, Output, ImportPath, FailedBuild string
}

// goodSkip is in the message of a test that was rightly skipped.
const goodSkip = "device lacks"

var (
	vulkanPackage = regexp.MustCompile(`(^|/)vk(/|$)`)
	vulkanReason  = regexp.MustCompile(`(?i)vulkan|lavapipe|swiftshader|FORNAX_REQUIRE`)
)

// results reads "go test -json" from r and writes to w what go test writes
// without it, then the skipped tests. It returns what is wrong with the run.
func results(r io.Reader, w io.Writer, vulkan bool) (problems []string, err error) {
	type key struct{ pkg, test string }
	output := map[key][]string{} // of tests under way or skipped
	var skipped []key
	failed := map[string]bool{}
	passed, packages := 0, 0
	in := bufio.NewReader(r)
	for {
		line, readErr := in.ReadBytes('\n')
		var e event
		if len(line) > 0 && json.Unmarshal(line, &e) != nil {
			fmt.Fprintf(w, "%s", line) // what the go command says outside of JSON
			e = event{}
		}
		k := key{e.Package, e.Test}
		switch e.Action {
		case "build-output":
			fmt.Fprint(w, e.Output)
		case "build-fail":
			problems = append(problems, "build failed: "+e.ImportPath)
		case "output":
			if e.Test != "" {
				output[k] = append(output[k], e.Output)
			} else if e.Output != "PASS\n" && !strings.HasPrefix(e.Output, "testing: warning: no tests to run") {
				fmt.Fprint(w, e.Output)
			}
		case "pass", "fail", "skip":
			switch {
			case e.Test == "" && e.Action == "fail":
				failed[e.Package] = true
				packages++
			case e.Test == "" && e.Action == "pass":
				packages++
			case e.Test == "":
			case e.Action == "fail":
				problems = append(problems, "failed: "+e.Package+"."+e.Test)
				for _, line := range output[k] {
					fmt.Fprint(w, line)
				}
			case e.Action == "skip":
				skipped = append(skipped, k)
				continue
			default:
				passed++
			}
			delete(output, k)
		}
		if readErr == io.EOF {
			break
		}
		if readErr != nil {
			return problems, readErr
		}
	}
	// A test that never ended took its binary down: its output says how.
	for _, k := range sortedKeys(output, func(a, b key) int { return strings.Compare(a.pkg+"."+a.test, b.pkg+"."+b.test) }) {
		if failed[k.pkg] && !slices.Contains(skipped, k) {
			problems = append(problems, "did not end: "+k.pkg+"."+k.test)
			fmt.Fprint(w, strings.Join(output[k], ""))
		}
	}
	for pkg := range failed {
		if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, pkg) }) {
			problems = append(problems, "failed: "+pkg)
		}
	}
	for _, k := range skipped {
		why := reason(output[k])
		fmt.Fprintf(w, "skipped: %s.%s: %s\n", k.pkg, k.test, why)
		if vulkan && !strings.Contains(why, goodSkip) && (vulkanPackage.MatchString(k.pkg) || vulkanReason.MatchString(why)) {
			problems = append(problems, fmt.Sprintf("skipped, though it must run: %s.%s: %s", k.pkg, k.test, why))
		}
	}
	if passed == 0 && len(problems) == 0 {
		problems = append(problems, "no test ran")
	}
	fmt.Fprintf(w, "%d tests passed in %d packages, %d skipped, %d problems\n", passed, packages, len(skipped), len(problems))
	return problems, nil
}

// reason returns the message of a skipped test in one line.
func reason(output []string) string {
	var words []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			words = append(words, line)
		}
	}
	return strings.Join(words, " ")
}

func sortedKeys[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compare)
	return keys
}
