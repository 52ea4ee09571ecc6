package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

//go:embed torch.py
var torchScript string

// startTorch runs torch.py with the first interpreter that has torch.
func startTorch(ctx context.Context, python string, defaults, forced []string) (*peer, error) {
	candidates := []string{"python3", "/usr/bin/python3"}
	if python != "" {
		candidates = []string{python}
	}
	var reasons []string
	for _, name := range candidates {
		path, err := exec.LookPath(name)
		if err == nil {
			var p *peer
			if p, err = startPeer(ctx, "torch", defaults, forced, []string{path, "-u", "-c", torchScript}); err == nil {
				return p, nil
			}
		}
		reasons = append(reasons, fmt.Sprintf("%s: %v", name, err))
	}
	return nil, errors.New(strings.Join(reasons, "; "))
}
