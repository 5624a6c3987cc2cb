// Quickstart retries real failures: an HTTP server that misbehaves, and an SQLite database that
// another connection has locked. It needs nothing but the loopback interface and a temporary folder.
//
//	go run ./examples/quickstart
//
// It takes about two seconds and has four parts:
//
//  1. a server that drops connections, is unavailable, then answers;
//  2. a page that does not exist: a permanent error, so there is no second attempt;
//  3. a server that asks for a longer wait than the caller has time for;
//  4. a write that waits for another connection's lock.
//
// Each log line is the library's own: one for each retry and one for the end of the call. A line that
// begins with "result" is what the caller got. The waits are random and differ from run to run.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/examples/internal/help"
)

//go:embed main.go
var source string

func main() {
	help.Parse(source)
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
