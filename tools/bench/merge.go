package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
	"github.com/fornax-ml/fornax/tools/bench/internal/report"
)

// runMerge is the subcommand merge: one record and one report of several runs.
func (a *app) runMerge(args []string) error {
	fs := flag.NewFlagSet("merge", flag.ContinueOnError)
	json := fs.String("json", "merged.json", "")
	html := fs.String("html", "merged.html", "")
	names, err := parseNames(fs, args, 1)
	if err != nil {
		return err
	}
	all, err := readAll(names)
	if err != nil {
		return err
	}
	report.Derive(all)
	for i := range all.Runs {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		if err := writeRun(a.stdout, &all.Runs[i]); err != nil {
			return err
		}
	}
	return a.files(all, *json, *html)
}

// parseNames parses flags and the names of at least so many files after them.
func parseNames(fs *flag.FlagSet, args []string, least int) ([]string, error) {
	fs.SetOutput(io.Discard)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, &usageError{err}
	}
	if fs.NArg() < least {
		return nil, &usageError{fmt.Errorf("%s wants the names of at least %d files", fs.Name(), least)}
	}
	return fs.Args(), nil
}

// readAll reads files and joins them.
func readAll(names []string) (*record.File, error) {
	var files []*record.File
	for _, name := range names {
		f, err := record.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return record.Merge(files...), nil
}
