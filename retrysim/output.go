package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/seed-205ff063/retry/retrysim/internal/report"
)

// output is a file that appears when it is complete, and not before.
type output struct {
	path, format string
	temporary    *os.File
}

// newOutput prepares to write the file, so that one that cannot be written is known before the
// work. It is nil for no path.
func newOutput(path string) (*output, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // no output is a value, see the methods
	}
	format := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
	if !slices.Contains(report.Endings, format) {
		return nil, usageError{fmt.Errorf("-o: %q ends in none of .%s", path, strings.Join(report.Endings, ", ."))}
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("-o: %s is no regular file", path)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".retrysim-*")
	if err != nil {
		return nil, fmt.Errorf("-o: %s cannot be written: %w", path, cause(err))
	}
	return &output{path, format, temporary}, nil
}

// write writes the report and puts the file in its place.
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

// mode is that of the file that is replaced, or one that others may read.
func (o *output) mode() os.FileMode {
	const readable = 0o644
	if info, err := os.Stat(o.path); err == nil {
		return info.Mode().Perm()
	}
	return readable
}

// discard removes what was not put in its place.
func (o *output) discard() {
	if o == nil {
		return
	}
	_ = o.temporary.Close()
	_ = os.Remove(o.temporary.Name())
}

// cause leaves out the name of the temporary file, which nobody knows.
func cause(err error) error {
	switch e := err.(type) { //nolint:errorlint // as package os returns them
	case *os.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}

const progressInterval = 100 * time.Millisecond

// bar shows progress on a terminal.
type bar struct{ bar *progressbar.ProgressBar }

func newBar(w io.Writer, what string, quiet bool) *bar {
	file, ok := w.(*os.File)
	if quiet || !ok || !term.IsTerminal(int(file.Fd())) {
		return &bar{}
	}
	return &bar{progressbar.NewOptions(1,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(progressInterval),
	)}
}

func (b *bar) report(done, total int) {
	if b.bar == nil {
		return
	}
	b.bar.ChangeMax(total)
	_ = b.bar.Set(done)
}

func (b *bar) finish() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}
