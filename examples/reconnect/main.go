// Reconnect consumes messages from a server on the loopback interface that drops its connections. It
// connects again for as long as the program runs.
//
//	go run ./examples/reconnect
//	go run ./examples/reconnect -outage
//	go run ./examples/reconnect -for 0
//
// It takes about a second, prints the messages and the policy's log, and repeats two things:
//
//  1. the server drops two connections at once, and the waits grow;
//  2. the third connection lasts and brings eight messages. After it the waits start small again.
//
// It ends after the time of -for, as if it had received SIGTERM. With -for 0 it runs until Ctrl-C or
// SIGTERM. With -outage the server stays away after the third connection, and the program ends with an
// error.
//
// Worth a look:
//
//   - retry.WithResetAfter resets the attempts and the waits after a connection that lasted. So a
//     consumer that was cut off ten times in a week has not used up its five attempts;
//   - connections that break at once do use up the attempts;
//   - a signal ends a wait at once. The log calls that "canceled" at level Info, and the exit status
//     is 0.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed-205ff063/retry/examples/internal/help"
)

//go:embed main.go
var source string

func main() {
	limit := flag.Duration("for", time.Second, "how long to run, as a `duration`; 0 runs until a signal")
	outage := flag.Bool("outage", false, "let the server go away for good after three connections")
	help.Parse(source)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, *limit, *outage)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// errLimit is the cause of the context's end after the time of -for.
var errLimit = errors.New("the time of -for is over")

func run(ctx context.Context, w io.Writer, limit time.Duration, outage bool) error {
	s, err := newServer(outage)
	if err != nil {
		return err
	}
	defer s.close()

	if limit > 0 {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer time.AfterFunc(limit, func() { cancel(errLimit) }).Stop()
	}
	c := &consumer{address: s.address(), log: slog.New(slog.NewTextHandler(w, nil))}
	err = c.consume(ctx, func(message string) { fmt.Fprintln(w, message) })
	if ctx.Err() != nil {
		fmt.Fprintf(w, "shut down after %d messages: %v\n", c.messages, context.Cause(ctx))
		return nil
	}
	return err
}
