// Reconnect consumes messages from a server on the loopback interface that drops its connections,
// and connects again for as long as the program runs.
//
//	go run ./examples/reconnect
//
// It prints the messages and the policy's log, and ends by itself after a second, as if it had been
// sent SIGTERM. With -for 0 it runs until Ctrl-C or SIGTERM. Worth a look:
//
//   - retry.WithResetAfter starts the waits and the attempts again after a connection that lasted:
//     a consumer that was cut off ten times in a week has not used up its five attempts;
//   - connections that break at once do use them up: the program ends with an error when the server
//     stays away (-outage);
//   - the signal ends a wait at once, the log has the end as "canceled" at Info, and the program
//     exits with status 0.
package main

import (
	"context"
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
)

func main() {
	limit := flag.Duration("for", time.Second, "how long to run; 0 runs until a signal")
	outage := flag.Bool("outage", false, "let the server go away for good after some connections")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, *limit, *outage)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// errLimit is why the context ends when the program has run for as long as -for says.
var errLimit = errors.New("has run for long enough")

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
