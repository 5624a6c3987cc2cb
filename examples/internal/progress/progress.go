// Package progress shows on a terminal how far a program is, and keeps that apart from its output.
package progress

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// Bar is a progress bar on standard error. It shows nothing if standard error is no terminal.
// A Bar is safe for concurrent use.
type Bar struct {
	mu  sync.Mutex
	bar *progressbar.ProgressBar // nil: there is no terminal
}

// New returns a bar that is full at max.
func New(max int64) *Bar { return onTerminal(max, progressbar.OptionShowIts()) }

// NewBytes returns a bar that counts bytes. It is drawn at most 15 times a second.
func NewBytes(max int64) *Bar {
	return onTerminal(max, progressbar.OptionShowBytes(true), progressbar.OptionThrottle(65*time.Millisecond))
}

func onTerminal(max int64, options ...progressbar.Option) *Bar {
	if !isatty.IsTerminal(os.Stderr.Fd()) {
		return &Bar{}
	}
	return newBar(max, os.Stderr, options...)
}

func newBar(max int64, w io.Writer, options ...progressbar.Option) *Bar {
	return &Bar{bar: progressbar.NewOptions64(max, append([]progressbar.Option{
		progressbar.OptionSetWriter(w),
		progressbar.OptionShowCount(),
		progressbar.OptionFullWidth(),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
	}, options...)...)}
}

// Set moves the bar to n.
func (b *Bar) Set(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Set64(n)
	}
}

// Add moves the bar on by n.
func (b *Bar) Add(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Add64(n)
	}
}

// Close removes the bar. What is written afterwards begins on a clean line.
func (b *Bar) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Clear()
		_ = b.bar.Exit()
		b.bar = nil
	}
}

// Writer returns a writer to w that removes the bar before each write and draws it again below what
// was written. Write whole lines.
func (b *Bar) Writer(w io.Writer) io.Writer { return &writer{b, w} }

type writer struct {
	bar *Bar
	w   io.Writer
}

func (w *writer) Write(text []byte) (int, error) {
	w.bar.mu.Lock()
	defer w.bar.mu.Unlock()
	if w.bar.bar == nil {
		return w.w.Write(text)
	}
	_ = w.bar.bar.Clear()
	n, err := w.w.Write(text)
	_ = w.bar.bar.RenderBlank()
	return n, err
}
