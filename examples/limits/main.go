// Limits puts gates before the attempts: a rate limiter of golang.org/x/time/rate, a semaphore of
// golang.org/x/sync/semaphore, and a circuit breaker of github.com/sony/gobreaker.
//
//	go run ./examples/limits
//
// It takes less than a second and has five parts:
//
//  1. calls of different weight share a bulkhead, and hold nothing of it while they wait;
//  2. a rate limit for which every attempt counts;
//  3. the same limit for calls only, so that retries are exempt;
//  4. a limit for retries only: all calls make their first attempt at once;
//  5. an open circuit breaker keeps attempts away from a server that is down.
package main

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"log"
	"os"
	"sync/atomic"

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
	for _, part := range []func(context.Context, io.Writer) error{
		shareSlots,
		limitCalls,
		limitRetries,
		breakCircuit,
	} {
		if err := part(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

var errUnavailable = errors.New("unavailable")

// failing returns a function that fails n times before it succeeds.
func failing(n int) func(context.Context) error {
	return func(context.Context) error {
		if n--; n >= 0 {
			return errUnavailable
		}
		return nil
	}
}

// gauge counts how much goes on at once, and keeps the maximum.
type gauge struct{ now, peak atomic.Int64 }

// add raises the gauge by n. The function that it returns lowers it again.
func (g *gauge) add(n int64) (done func()) {
	now := g.now.Add(n)
	for peak := g.peak.Load(); now > peak && !g.peak.CompareAndSwap(peak, now); {
		peak = g.peak.Load()
	}
	return func() { g.now.Add(-n) }
}
