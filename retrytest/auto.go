package retrytest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
)

var _ retry.Clock = (*AutoClock)(nil)

// Mock is a mock clock as [Auto] takes it: its time is moved on by Add. The Mock of
// github.com/benbjohnson/clock is one. A mock whose method has another name is wrapped:
//
//	type fake struct{ *clockwork.FakeClock } // or testing.FakeClock of k8s.io/utils/clock
//
//	func (f fake) Add(d time.Duration) { f.Advance(d) } // or f.Step(d)
type Mock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
	Add(d time.Duration)
}

// AutoClock is a mock clock that moves on by itself: After adds the wait to the mock's time at
// once, and records it. Make one with [Auto].
//
// It is safe for concurrent use, also if the mock's own Add is not. The waits of calls that
// share it add up, so most tests give each call its own.
type AutoClock struct {
	mu    sync.Mutex // held while the mock moves on
	mock  Mock
	waits []time.Duration
}

// Auto returns a clock around m, such as the Mock of github.com/benbjohnson/clock. It is for
// code under test that goes by a mock clock already and retries by the same time. Other tests
// need no mock: use a [Clock].
//
//	m := clock.NewMock()
//	clk := retrytest.Auto(m)
//	err := retry.Do(ctx, fn, retry.WithClock(clk), retry.WithJitter(retry.NoJitter))
//	fmt.Println(err, clk.Waits()) // <nil> [100ms 200ms]
//
// A wait on a mock clock alone blocks until another goroutine moves the clock on. With Auto no
// goroutine is needed: a wait takes no time, and the other timers of m that are due by then
// have fired. A nil m panics.
func Auto(m Mock) *AutoClock {
	if m == nil {
		panic("retrytest: Auto: nil clock")
	}
	return &AutoClock{mock: m}
}

// Now returns the mock's time.
func (c *AutoClock) Now() time.Time { return c.mock.Now() }

// After records the wait d, moves the mock on by d at once, and returns the mock's channel,
// which is ready. A d of 0 or below takes no time.
func (c *AutoClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	d = max(d, 0) // the mocks disagree on what lies behind
	due := c.mock.After(d)
	c.mock.Add(d)
	return due
}

// Add moves the mock on by d without recording a wait: a function that is retried calls it to
// say that it took so long. Unlike the mock's own Add it may be called by several goroutines.
func (c *AutoClock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mock.Add(d)
}

// Waits returns all waits recorded so far, in order: what After was called with.
func (c *AutoClock) Waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.waits)
}

// WithTimeout returns what the mock's method of that name does. If the mock has none, the
// timeout runs in real time. Attempt timeouts of a call with this clock come from here.
//
// When a context hears of its end is up to the mock: that of benbjohnson/clock tells it in
// another goroutine, so a function waits for ctx.Done() before it looks at ctx.Err().
func (c *AutoClock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if m, ok := c.mock.(interface {
		WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
	}); ok {
		return m.WithTimeout(ctx, d)
	}
	return context.WithTimeout(ctx, d)
}
