package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed-205ff063/retry"
)

var errDown = errors.New("down")

// Service counts the attempts of all its calls in a sliding window. The window has successes too,
// which the history of an error does not have.
type Service struct {
	recent *retry.History
	policy *retry.Policy
}

// NewService returns a service that remembers its newest attempts. The window is their number: one
// more attempt drops the oldest.
func NewService(window int) *Service {
	recent := retry.NewHistory(window)
	return &Service{recent: recent, policy: retry.MustNew(
		retry.WithHistory(recent),
		retry.WithMaxAttempts(3),
		retry.WithBackoff(retry.Constant(time.Millisecond)),
	)}
}

// Call calls fn and retries it. It is safe for concurrent use.
func (s *Service) Call(ctx context.Context, fn func(context.Context) error) error {
	return s.policy.Do(ctx, fn)
}

// SuccessRate returns the share of the recent attempts that succeeded, from 0 to 1, and the number of
// these attempts.
func (s *Service) SuccessRate() (rate float64, of int) {
	good := 0
	for a := range s.recent.All() {
		if of++; a.Err == nil {
			good++
		}
	}
	if of == 0 {
		return 1, 0 // nothing has failed yet
	}
	return float64(good) / float64(of), of
}

// showService prints a service's success rate before, during and after an outage.
func showService(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== The success rate of a service's last 20 attempts")
	up := func(context.Context) error { return nil }
	down := func(context.Context) error { return errDown }

	s := NewService(20)
	for _, phase := range []struct {
		name  string
		calls int
		fn    func(context.Context) error
	}{
		{"after 10 calls that went well", 10, up},
		{"after 3 calls in an outage", 3, down},
		{"after 4 more", 4, down},
		{"after 15 calls that went well", 15, up},
	} {
		for range phase.calls {
			// A failed call is part of the example. A canceled one ends it.
			if err := s.Call(ctx, phase.fn); errors.Is(err, retry.ErrContext) {
				return err
			}
		}
		rate, of := s.SuccessRate()
		fmt.Fprintf(w, "%-30s %3.0f %% of %d attempts\n", phase.name, 100*rate, of)
	}
	return nil
}
