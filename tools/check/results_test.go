package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestResults(t *testing.T) {
	pass := `{"Action":"run","Package":"m/cpu","Test":"TestA"}
{"Action":"output","Package":"m/cpu","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"m/cpu","Test":"TestA"}
{"Action":"output","Package":"m/cpu","Output":"PASS\n"}
{"Action":"output","Package":"m/cpu","Output":"ok  \tm/cpu\t0.1s\n"}
{"Action":"pass","Package":"m/cpu"}
`
	skip := func(pkg, why string) string {
		return `{"Action":"output","Package":"` + pkg + `","Test":"TestS","Output":"=== RUN   TestS\n"}
{"Action":"output","Package":"` + pkg + `","Test":"TestS","Output":"    a_test.go:3: ` + why + `\n"}
{"Action":"skip","Package":"` + pkg + `","Test":"TestS"}
`
	}
	tests := []struct {
		name, in string
		vulkan   bool
		prints   []string
		problems []string
	}{
		{"pass", pass, true, []string{"ok  \tm/cpu\t0.1s", "1 tests passed in 1 packages, 0 skipped"}, nil},
		{"nothing", "", false, nil, []string{"no test ran"}},
		{"vk skipped", pass + skip("m/vk", "no driver"), true, []string{"skipped: m/vk.TestS: a_test.go:3: no driver"},
			[]string{"must run: m/vk.TestS"}},
		{"vk skipped, not asked", pass + skip("m/vk", "no driver"), false, []string{"skipped: m/vk"}, nil},
		{"below vk", pass + skip("m/vk/internal/driver", "no driver"), true, nil, []string{"must run: m/vk/internal/driver.TestS"}},
		{"for want of Vulkan", pass + skip("m/nn", "no Vulkan device"), true, nil, []string{"must run: m/nn.TestS"}},
		{"device lacks", pass + skip("m/vk", "device lacks f64"), true, []string{"skipped: m/vk.TestS"}, nil},
		{"other reason", pass + skip("m/nn", "short mode"), true, []string{"skipped: m/nn.TestS"}, nil},
		{"failed", `{"Action":"output","Package":"m/nn","Test":"TestF","Output":"    it broke\n"}
{"Action":"fail","Package":"m/nn","Test":"TestF"}
{"Action":"fail","Package":"m/nn"}
`, false, []string{"    it broke"}, []string{"failed: m/nn.TestF"}},
		{"crashed", `{"Action":"output","Package":"m/nn","Test":"TestF","Output":"SIGSEGV\n"}
{"Action":"fail","Package":"m/nn"}
`, false, []string{"SIGSEGV"}, []string{"did not end: m/nn.TestF"}},
		{"failed before a test", `{"Action":"output","Package":"m/nn","Output":"panic in TestMain\n"}
{"Action":"fail","Package":"m/nn"}
`, false, []string{"panic in TestMain"}, []string{"failed: m/nn"}},
		{"build", `{"ImportPath":"m/nn","Action":"build-output","Output":"undefined: x\n"}
{"ImportPath":"m/nn","Action":"build-fail"}
`, false, []string{"undefined: x"}, []string{"build failed: m/nn"}},
		{"not JSON", "go: no such tool\n" + pass, false, []string{"go: no such tool"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			problems, err := results(strings.NewReader(test.in), &out, test.vulkan)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, problems, test.problems...)
			for _, want := range test.prints {
				if !strings.Contains(out.String(), want) {
					t.Errorf("printed\n%s\nwithout %q", out.String(), want)
				}
			}
			if strings.Contains(out.String(), "chatter") {
				t.Errorf("printed the output of a test that passed:\n%s", out.String())
			}
		})
	}
}

// The real go command's output, from a module with a bit of everything.
func TestResultsOfGo(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	root := plant(t, map[string]string{
		"good/a_test.go":  "package good\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n",
		"bad/a_test.go":   "package bad\n\nimport \"testing\"\n\nfunc TestB(t *testing.T) { t.Run(\"sub\", func(t *testing.T) { t.Error(\"wrong sum\") }) }\n",
		"vk/a_test.go":    "package vk\n\nimport \"testing\"\n\nfunc TestV(t *testing.T) { t.Skip(\"none here\") }\n",
		"crash/a_test.go": "package crash\n\nimport \"testing\"\n\nfunc TestC(t *testing.T) { go panic(\"down\"); select {} }\n",
		"build/a.go":      "package build\n\nvar x int = \"\"\n",
		"build/a_test.go": "package build\n\nimport \"testing\"\n\nfunc TestD(t *testing.T) {}\n",
	})
	cmd := exec.Command("go", "test", "-json", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "FORNAX_REQUIRE_VULKAN=")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("go test passed")
	}
	var printed bytes.Buffer
	problems, err := results(bytes.NewReader(out), &printed, true)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(problems, "\n")
	for _, want := range []string{"failed: example.com/m/bad.TestB/sub", "must run: example.com/m/vk.TestV", "example.com/m/crash.TestC", "build failed: example.com/m/build"} {
		if !strings.Contains(all, want) {
			t.Errorf("problems\n%s\nwithout %q", all, want)
		}
	}
	for _, want := range []string{"ok  \texample.com/m/good", "wrong sum", "panic: down", "cannot use"} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("printed\n%s\nwithout %q", &printed, want)
		}
	}
}
