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

// calls are the policies of the calls.
type calls struct {
	fetch, search *retry.Policy
}

// newCalls makes two policies. Some calls of "fetch" fail. All calls of "search" fail, and it has a budget
// for two retries in all.
func newCalls(m *telemetry) (*calls, error) {
	budget := retry.NewBudget(0, 2)
	if _, err := m.recorder.ObserveBudget("search", budget); err != nil {
		return nil, err
	}
	m.counts.Set("search tokens", expvar.Func(func() any { return budget.Tokens() }))
	quick := retry.WithBackoff(retry.Constant(10 * time.Millisecond))
	return &calls{
		fetch:  m.policy("fetch", quick, retry.WithMaxAttempts(3)),
		search: m.policy("search", quick, retry.WithMaxAttempts(3), retry.WithBudget(budget)),
	}, nil
}

// run makes some calls with each policy.
func (c *calls) run(ctx context.Context) error {
	for n := range 16 {
		_ = c.fetch.Do(ctx, failing(n)) // the program only counts its errors
	}
	for range 4 {
		_ = c.search.Do(ctx, func(context.Context) error { return errRefused })
	}
	return ctx.Err()
}

// failing returns the n-th function. Of sixteen ten succeed at once, three succeed at the second attempt,
// two always fail, and one fails with a permanent error.
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
	hold     <-chan struct{} // the mail takes until this is closed; nil: no time
}

// mailPool is a pool that delivers mails. Eight mails fill it.
type mailPool struct {
	pool    *retrypool.Pool[*mail, struct{}]
	started chan struct{} // receives when a mail with hold has started
}

// mails is the number of mails that fill the pool.
const mails = 8

func newMailPool(m *telemetry) (*mailPool, error) {
	p := &mailPool{started: make(chan struct{}, 2)}
	var err error
	p.pool, err = retrypool.New(p.send, retrypool.Config[*mail]{
		Workers: 2, Capacity: mails,
		Policy:     m.policy("deliver", retry.WithBackoff(retry.Constant(50*time.Millisecond)), retry.WithMaxAttempts(3)),
		DeadLetter: func(context.Context, *mail, *retry.Error) error { return nil },
		Events:     retryotel.PoolEvents[*mail](m.recorder, "mail"),
	})
	if err != nil {
		return nil, err
	}
	m.counts.Set("mail pool", expvar.Func(func() any { return p.pool.Stats() }))
	if _, err := m.recorder.ObservePool("mail", p.pool); err != nil {
		return nil, errors.Join(err, p.pool.Close(context.Background()))
	}
	return p, nil
}

func (p *mailPool) send(ctx context.Context, it *mail) (struct{}, error) {
	it.attempts++
	switch {
	case it.number == 1 && it.attempts == 1, it.number == mails:
		return struct{}{}, errRefused
	case it.hold != nil:
		p.started <- struct{}{}
		select {
		case <-it.hold:
		case <-ctx.Done():
			return struct{}{}, ctx.Err()
		}
	}
	return struct{}{}, nil
}

// deliver delivers eight mails with two workers. The first fails and is parked. The next two keep both
// workers busy while inspect runs, so the pool is full. The last fails for good.
func (p *mailPool) deliver(ctx context.Context, inspect func() error) error {
	release := make(chan struct{})
	for n := 1; n <= mails; n++ {
		it := &mail{number: n}
		if n == 2 || n == 3 {
			it.hold = release
		}
		if _, err := p.pool.Submit(ctx, it); err != nil {
			close(release)
			return fmt.Errorf("mail %d: %w", n, err)
		}
	}
	err := p.inspectWhenFull(ctx, inspect)
	close(release)
	return errors.Join(err, p.pool.Join(ctx), ctx.Err())
}

// inspectWhenFull calls inspect once both workers are busy.
func (p *mailPool) inspectWhenFull(ctx context.Context, inspect func() error) error {
	for range 2 {
		select {
		case <-p.started:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return inspect()
}
