// Fakeclock is about testing code that retries, without waiting: the function WaitReady, in
// ready.go, is tested on three clocks that are not real.
//
//	go test -v ./examples/fakeclock
//
//	retrytest_test.go  package retrytest's Clock, made for this: start here
//	synctest_test.go   testing/synctest, nothing to pass in, goroutines are welcome
//	mock_test.go       the Mock of github.com/benbjohnson/clock, if you use that already
//
// The program itself runs the function once, for real, with short waits:
//
//	go run ./examples/fakeclock
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/seed-205ff063/retry"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	probes := 0
	probe := func(context.Context) error {
		if probes++; probes < 4 {
			return errors.New("still starting")
		}
		return nil
	}
	start := time.Now()
	if err := WaitReady(ctx, probe, retry.WithBackoff(retry.Constant(20*time.Millisecond))); err != nil {
		return err
	}
	fmt.Fprintf(w, "ready after %d probes in %v\n", probes, time.Since(start).Round(time.Millisecond))
	return nil
}
