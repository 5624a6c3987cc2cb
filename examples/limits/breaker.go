package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/seed-205ff063/retry"
)

// breaker makes a gate of a two-step circuit breaker. The gate asks the breaker before each attempt
// and reports the outcome after it. While the breaker is open the gate refuses, and asks for a wait of
// cooldown: the breaker lets nothing through before.
func breaker(cb *gobreaker.TwoStepCircuitBreaker[any], cooldown time.Duration) retry.Gate {
	return func(context.Context, retry.Attempt) (release func(error), err error) {
		done, err := cb.Allow()
		return done, retry.After(cooldown, err) // nil if err is nil
	}
}

// breakCircuit calls a server that fails three times. The breaker opens after two failures.
func breakCircuit(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== A circuit breaker that opens after two failures in a row")
	const cooldown = 50 * time.Millisecond
	cb := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Timeout:     cooldown,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= 2 },
		// A canceled call says nothing about the server.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
	})

	reached := 0
	server := failing(3)
	err := retry.Do(ctx, func(ctx context.Context) error {
		reached++
		return server(ctx)
	}, retry.WithGate(breaker(cb, cooldown)),
		retry.WithMaxAttempts(10),
		retry.WithBackoff(retry.Constant(10*time.Millisecond)),
		retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) {
			fmt.Fprintf(w, "attempt %d: %-24v breaker is %v\n", a.Number, result(a.Err), cb.State())
		}}))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d attempts reached the server\n", reached)
	return nil
}

func result(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}
