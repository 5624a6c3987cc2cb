package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/time/rate"

	"github.com/seed-205ff063/retry"
)

// limitCalls makes calls that need three attempts each, under a limit of three an hour. First every
// attempt counts, then only the first attempt of each call.
func limitCalls(ctx context.Context, w io.Writer) error {
	for _, variant := range []struct {
		name string
		gate func(*rate.Limiter) retry.Gate
	}{
		{"every attempt counts", func(l *rate.Limiter) retry.Gate { return retry.RateLimit(l) }},
		{"retries do not count", func(l *rate.Limiter) retry.Gate { return retry.OnlyFirst(retry.RateLimit(l)) }},
	} {
		fmt.Fprintln(w, "\n== A limit of three an hour:", variant.name)
		limiter := rate.NewLimiter(rate.Every(time.Hour), 3)
		gate := retry.WithGate(variant.gate(limiter))
		for call := 1; call <= 4; call++ {
			err := limited(ctx, gate)
			if ctx.Err() != nil {
				return ctx.Err() // interrupted, not refused
			}
			if err != nil {
				fmt.Fprintf(w, "call %d: %v\n", call, err)
				break
			}
			fmt.Fprintf(w, "call %d: ok at attempt 3, %.0f left\n", call, limiter.Tokens())
		}
	}
	return nil
}

// limited makes one call that fails twice and has ten seconds. The limiter refuses at once if its
// wait would be longer.
func limited(ctx context.Context, gate retry.Option) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return retry.Do(ctx, failing(2), gate, retry.WithBackoff(retry.Constant(time.Millisecond)))
}
