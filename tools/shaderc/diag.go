package main

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// diag is one message for the user, of form "file:line: message".
type diag struct {
	file string // "" where no file is to blame
	line int    // 0 where no line is
	msg  string
}

func (d diag) String() string {
	switch {
	case d.file == "":
		return d.msg
	case d.line == 0:
		return d.file + ": " + d.msg
	}
	return fmt.Sprintf("%s:%d: %s", d.file, d.line, d.msg)
}

// warning is the same message as a warning.
func (d diag) warning() string {
	d.msg = "warning: " + d.msg
	return d.String()
}

// Error makes a diag an error.
func (d diag) Error() string { return d.String() }

// diags is several messages as one error.
type diags []diag

func (ds diags) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// printErr writes an error's messages, one a line.
func printErr(w io.Writer, err error) {
	fmt.Fprintln(w, err.Error())
}

// The compilers' messages:
//
//	glslc              inc/ops.glsl:2: error: 'x' : undeclared identifier
//	glslangValidator   ERROR: inc/ops.glsl:2: 'x' : undeclared identifier
var (
	glslcLine   = regexp.MustCompile(`^(.+?):(\d+): (error|warning): (.*)$`)
	glslcPlain  = regexp.MustCompile(`^(?:glslc: )?(.*?)(?:: )?(error|warning): (.*)$`)
	glslangLine = regexp.MustCompile(`^(ERROR|WARNING): (.+?):(\d+): (.*)$`)
	chatter     = regexp.MustCompile(`^(\d+ (error|warning)s? .*generated\.|ERROR: \d+ compilation errors.*|SPIR-V is not generated.*|ERROR: Linking .*stage: Missing entry point.*|.*: compilation terminated ?)$`)
)

// parseMessages turns a compiler's output into diags; show turns the
// compiler's file names into the user's. Lines of no known form are kept when
// nothing else is left to say what went wrong.
func parseMessages(output string, show func(string) string) (errs, warnings diags) {
	var other diags
	for _, line := range strings.Split(output, "\n") {
		line = strings.TrimRight(line, " \r\t")
		if line == "" || chatter.MatchString(line) {
			continue
		}
		var d diag
		var severity string
		if g := glslangLine.FindStringSubmatch(line); g != nil {
			severity, d = g[1], diag{show(g[2]), atoi(g[3]), g[4]}
		} else if g := glslcLine.FindStringSubmatch(line); g != nil {
			severity, d = g[3], diag{show(g[1]), atoi(g[2]), g[4]}
		} else if g := glslcPlain.FindStringSubmatch(line); g != nil {
			severity, d = g[2], diag{show(g[1]), 0, g[3]}
		} else {
			other = append(other, diag{msg: line})
			continue
		}
		d.msg = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(d.msg), "'' :"))
		if strings.HasSuffix(d.msg, "compilation terminated") && len(errs) > 0 {
			continue
		}
		if strings.EqualFold(severity, "warning") {
			warnings = append(warnings, d)
		} else if !slices.Contains(errs, d) {
			errs = append(errs, d)
		}
	}
	if len(errs) == 0 {
		errs = other
	}
	return errs, warnings
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// lineAt gives the line of a byte offset, from 1.
func lineAt(data []byte, off int) int {
	return 1 + strings.Count(string(data[:min(max(off, 0), len(data))]), "\n")
}

// slashJoin joins for display: with slashes on every system.
func slashJoin(dir, file string) string { return filepath.ToSlash(filepath.Join(dir, file)) }
