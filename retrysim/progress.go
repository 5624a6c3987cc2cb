package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progressInterval is the shortest time between two updates.
const progressInterval = 100 * time.Millisecond

// progressBar shows progress on a terminal. Otherwise bar is nil and it shows nothing.
type progressBar struct{ bar *progressbar.ProgressBar }

func newProgressBar(w io.Writer, description string, quiet bool) *progressBar {
	file, ok := w.(*os.File)
	if quiet || !ok || !term.IsTerminal(int(file.Fd())) {
		return &progressBar{}
	}
	return &progressBar{progressbar.NewOptions(1,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(description),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(progressInterval),
	)}
}

func (b *progressBar) report(done, total int) {
	if b.bar == nil {
		return
	}
	b.bar.ChangeMax(total)
	_ = b.bar.Set(done)
}

func (b *progressBar) finish() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}
