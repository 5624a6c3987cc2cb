// History shows the two records of attempts: the one that every error carries, and one that all calls
// of a service share. Both keep the newest attempts only, so their memory does not grow.
//
//	go run ./examples/history
//
// It takes less than a second and has two parts:
//
//  1. the attempts of a call that gave up, as a table. The call made four attempts and the table has
//     the newest three: WithHistorySize(3) drops older ones. The default size is 10;
//  2. a service's success rate over its last 20 attempts: in good times, in an outage, after it.
//     NewHistory(20) sets how many attempts count.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"text/tabwriter"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/examples/internal/help"
)

//go:embed main.go
var source string

func main() {
	help.Parse(source)
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	return errors.Join(
		showCall(ctx, w),
		showService(ctx, w),
	)
}

// showCall makes a call that fails in a different way every time, and prints its newest attempts.
func showCall(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "== The attempts of a call that gave up")
	failures := []error{
		errors.New("connection refused"),
		errors.New("connection reset"),
		errors.New("503 Service Unavailable"),
		errors.New("504 Gateway Timeout"),
	}
	const size = 3 // without the option it is 10
	attempt := 0
	err := retry.Do(ctx, func(context.Context) error {
		time.Sleep(time.Millisecond) // work
		attempt++
		return failures[attempt-1]
	}, retry.WithName("load"),
		retry.WithMaxAttempts(len(failures)),
		retry.WithHistorySize(size),
		retry.WithBackoff(retry.Exponential(10*time.Millisecond, 2)),
		retry.WithJitter(retry.NoJitter)) // to show the growth; a service should keep the jitter

	var failed *retry.Error
	if !errors.As(err, &failed) || failed.Reason != retry.ErrExhausted {
		return fmt.Errorf("load: want a call that used up its attempts, got %w", err)
	}
	fmt.Fprintln(w, failed)
	kept := failed.History()
	fmt.Fprintf(w, "WithHistorySize(%d) keeps the newest %d of the %d attempts:\n", size, len(kept), failed.Attempts)
	return printTable(w, kept)
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
