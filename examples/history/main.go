// History shows the two records of attempts: the one that every error carries, and one that
// all calls of a service share.
//
//	go run ./examples/history
//
// The first part prints the attempts of a call that gave up as a table. The second prints a
// service's success rate over its last 20 attempts: in good times, in an outage, after it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"text/tabwriter"
	"time"

	"github.com/seed-205ff063/retry"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	return errors.Join(
		ofOneCall(ctx, w),
		ofAService(ctx, w),
	)
}

// ofOneCall makes a call that fails in a different way every time, and prints how.
func ofOneCall(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "== The attempts of a call that gave up")
	failures := []error{
		errors.New("connection refused"),
		errors.New("connection reset"),
		errors.New("503 Service Unavailable"),
		errors.New("504 Gateway Timeout"),
	}
	attempt := 0
	err := retry.Do(ctx, func(context.Context) error {
		time.Sleep(time.Millisecond) // work
		attempt++
		return failures[attempt-1]
	}, retry.WithName("load"),
		retry.WithMaxAttempts(len(failures)),
		retry.WithHistorySize(3), // the newest three are enough
		retry.WithBackoff(retry.Exponential(10*time.Millisecond, 2)),
		retry.WithJitter(retry.NoJitter)) // to show the growth; do not do that in a service

	var failed *retry.Error
	if !errors.As(err, &failed) || failed.Reason != retry.ErrExhausted {
		return fmt.Errorf("load: want a call that used up its attempts, got %w", err)
	}
	fmt.Fprintln(w, failed)
	return printTable(w, failed.History())
}

// printTable prints attempts, oldest first.
func printTable(w io.Writer, attempts []retry.Attempt) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "number\twaited\tran for\t  error")
	for _, a := range attempts {
		fmt.Fprintf(t, "%d\t%v\t%v\t  %v\n",
			a.Number, a.Waited, a.Duration.Round(100*time.Microsecond), a.Err)
	}
	return t.Flush()
}
