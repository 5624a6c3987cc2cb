package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programs is the folder of the built programs.
type programs struct{ dir string }

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// build builds the test binary and the programs that the report runs.
func build(p programs) error {
	if _, err := output("go", "test", "-c", "-o", p.path("bench"), "."); err != nil {
		return err
	}
	for _, name := range []string{"waiting", "behaviour", "waits", "http", "grpc", "pool", "nats", "river"} {
		if _, err := output("go", "build", "-o", p.path(name), "./"+name); err != nil {
			return err
		}
	}
	return nil
}

// output runs a program and returns what it prints. It ignores a workspace, which could raise the
// versions that this module's go.mod names.
func output(program string, args ...string) ([]byte, error) {
	command := exec.Command(program, args...)
	command.Env = append(os.Environ(), "GOWORK=off")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	text, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, stderr.Bytes())
	}
	return text, nil
}
