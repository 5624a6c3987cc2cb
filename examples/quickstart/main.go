// Quickstart retries real failures: an HTTP server that drops connections and is
// unavailable for a while, and an SQLite database that another connection has locked.
//
//	go run ./examples/quickstart
//
// It prints four parts and takes about two seconds. In each part the log lines are the
// library's own, one for each retry and one for how the call ended; the line that begins
// with "result" is what the caller got. The waits are random and differ from run to run.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/seed-205ff063/retry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	logged := retry.WithLogger(newLogger(w))

	if err := callServer(ctx, w, logged); err != nil {
		return err
	}
	return writeDatabase(ctx, w, logged)
}

// newLogger returns a logger for people: without the time, durations rounded.
func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug, // show successes after retries too
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch {
			case a.Key == slog.TimeKey:
				return slog.Attr{}
			case a.Value.Kind() == slog.KindDuration:
				a.Value = slog.DurationValue(a.Value.Duration().Round(time.Millisecond))
			}
			return a
		},
	}))
}

func heading(w io.Writer, text string) { fmt.Fprintf(w, "\n== %s\n", text) }
