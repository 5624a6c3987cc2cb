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

// calls are the policies that makeCalls uses.
type calls struct {
	fetch, search *retry.Policy
}

// newCalls makes two policies: the calls of "fetch" fail now and then, and those of "search" always,
// with a budget for two retries in all.
func newCalls(m *measures) (*calls, error) {
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

// make makes some calls of each.
func (c *calls) make(ctx context.Context) error {
	for n := range 16 {
		_ = c.fetch.Do(ctx, failing(n)) // its error is counted, which is all this program does with it
	}
	for range 4 {
		_ = c.search.Do(ctx, func(context.Context) error { return errRefused })
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

// post is a pool that delivers mails. Eight of them fill it.
type post struct {
	pool    *retrypool.Pool[*mail, struct{}]
	started chan struct{} // a mail that is held is on its way
}

// mails are how many are delivered at a time.
const mails = 8

func newPost(m *measures) (*post, error) {
	p := &post{started: make(chan struct{}, 2)}
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

func (p *post) send(ctx context.Context, it *mail) (struct{}, error) {
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

// deliver has the two workers deliver eight mails. One fails and is parked, the next two hold both
// workers while look runs, so that the pool is full, and the last fails for good.
func (p *post) deliver(ctx context.Context, look func() error) error {
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
	err := p.lookWhenFull(ctx, look)
	close(release)
	return errors.Join(err, p.pool.Join(ctx), ctx.Err())
}

func (p *post) lookWhenFull(ctx context.Context, look func() error) error {
	for range 2 {
		select {
		case <-p.started:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return look()
}
