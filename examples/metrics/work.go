package main

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryotel"
	"github.com/seed-205ff063/retry/retrypool"
)

var (
	errRefused  = errors.New("connection refused")
	errNotFound = errors.New("no such item")
)

// makeCalls makes calls of two policies: those of "fetch" fail now and then, and those of "search"
// always, with a budget for two retries in all.
func makeCalls(ctx context.Context, m *measures) error {
	budget := retry.NewBudget(0, 2)
	if _, err := m.recorder.ObserveBudget("search", budget); err != nil {
		return err
	}
	m.counts.Set("search tokens", expvar.Func(func() any { return budget.Tokens() }))

	quick := retry.WithBackoff(retry.Constant(10 * time.Millisecond))
	fetch := m.policy("fetch", quick, retry.WithMaxAttempts(3))
	for n := range 16 {
		_ = fetch.Do(ctx, failing(n)) // its error is counted, which is all this program does with it
	}
	search := m.policy("search", quick, retry.WithMaxAttempts(3), retry.WithBudget(budget))
	for range 4 {
		_ = search.Do(ctx, func(context.Context) error { return errRefused })
	}
	return ctx.Err()
}

// failing is the n-th function: of sixteen ten succeed at once, three at the second attempt,
// two never, and for one there is no use in another attempt.
func failing(n int) func(context.Context) error {
	attempts := 0
	return func(context.Context) error {
		attempts++
		switch {
		case n >= 15:
			return retry.Permanent(errNotFound)
		case n >= 13, n >= 10 && attempts == 1:
			return errRefused
		}
		return nil
	}
}

// mail is an item of the pool.
type mail struct {
	number   int
	attempts int
	hold     <-chan struct{} // it is on its way until this is closed; nil: it arrives at once
}

// runPool has a pool of two workers deliver eight mails. One fails and is parked, the next two hold
// both workers while look runs, and the last fails for good.
func runPool(ctx context.Context, m *measures, look func() error) (err error) {
	started, release := make(chan struct{}, 2), make(chan struct{})
	pool, err := retrypool.New(func(ctx context.Context, it *mail) (struct{}, error) {
		it.attempts++
		switch {
		case it.number == 1 && it.attempts == 1, it.number == 8:
			return struct{}{}, errRefused
		case it.hold != nil:
			started <- struct{}{}
			select {
			case <-it.hold:
			case <-ctx.Done():
				return struct{}{}, ctx.Err()
			}
		}
		return struct{}{}, nil
	}, retrypool.Config[*mail]{
		Workers: 2, Capacity: 100,
		Policy:     m.policy("deliver", retry.WithBackoff(retry.Constant(50*time.Millisecond)), retry.WithMaxAttempts(3)),
		DeadLetter: func(context.Context, *mail, *retry.Error) error { return nil },
		Events:     retryotel.PoolEvents[*mail](m.recorder, "mail"),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close(ctx)) }()
	if _, err = m.recorder.ObservePool("mail", pool); err != nil {
		return err
	}
	m.counts.Set("mail pool", expvar.Func(func() any { return pool.Stats() }))

	for n := 1; n <= 8; n++ {
		it := &mail{number: n}
		if n == 2 || n == 3 {
			it.hold = release
		}
		if _, err = pool.Submit(ctx, it); err != nil {
			return fmt.Errorf("mail %d: %w", n, err)
		}
	}
	for range 2 {
		select {
		case <-started:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err = look()
	close(release)
	return err
}
