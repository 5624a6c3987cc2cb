package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-205ff063/retry/retrysim/internal/report"
)

// output is a file that appears only when it is complete. It is written to a temporary file first.
type output struct {
	path, format string
	temporary    *os.File
}

// newOutput creates the temporary file, so that a file that cannot be written is an error before
// the simulation runs. The output is nil if path is empty.
func newOutput(path string) (*output, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // the methods accept nil
	}
	format := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
	if !slices.Contains(report.Endings, format) {
		return nil, usageError{fmt.Errorf("-o: %q does not end in any of .%s", path, strings.Join(report.Endings, ", ."))}
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("-o: %s is not a regular file", path)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".retrysim-*")
	if err != nil {
		return nil, fmt.Errorf("-o: %s cannot be written: %w", path, cause(err))
	}
	return &output{path, format, temporary}, nil
}

// write writes the report and renames the temporary file to the path.
func (o *output) write(r report.Report) error {
	if o == nil {
		return nil
	}
	err := r.Write(o.temporary, o.format)
	if err == nil {
		err = o.temporary.Chmod(o.mode())
	}
	if err == nil {
		err = o.temporary.Close()
	}
	if err == nil {
		err = os.Rename(o.temporary.Name(), o.path)
	}
	if err != nil {
		return fmt.Errorf("-o: %s cannot be written: %w", o.path, cause(err))
	}
	return nil
}

// mode returns the mode of the file that is replaced, or 0644 for a new file.
func (o *output) mode() os.FileMode {
	const newFileMode = 0o644
	if info, err := os.Stat(o.path); err == nil {
		return info.Mode().Perm()
	}
	return newFileMode
}

// discard removes the temporary file, if it was not renamed.
func (o *output) discard() {
	if o == nil {
		return
	}
	_ = o.temporary.Close()
	_ = os.Remove(o.temporary.Name())
}

// cause removes the name of the temporary file from an error.
func cause(err error) error {
	switch e := err.(type) { //nolint:errorlint // package os does not wrap them
	case *os.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}
