package retrytest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
)

var _ retry.Clock = (*AutoClock)(nil)

// Mock is a mock clock for [Auto]. Its time advances by Add alone. The Mock of
// github.com/benbjohnson/clock is one. Wrap a mock whose method has another name:
//
//	type fake struct{ *clockwork.FakeClock } // or testing.FakeClock of k8s.io/utils/clock
//
//	func (f fake) Add(d time.Duration) { f.Advance(d) } // or f.Step(d)
type Mock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
	Add(d time.Duration)
}

// AutoClock is a mock clock that advances by itself. After adds the wait to the mock's time at once and
// records the wait. Make one with [Auto].
//
// The waits of calls that share an AutoClock add up, so most tests give each call its own. It is safe
// for concurrent use, even if the mock's own Add is not.
type AutoClock struct {
	mu    sync.Mutex // held while the mock advances
	mock  Mock
	waits []time.Duration
}

// Auto returns a clock around m, such as the Mock of github.com/benbjohnson/clock. Use it for code that
// already has a mock clock and retries by the same time. Other tests need no mock: use a [Clock].
//
//	m := clock.NewMock()
//	clk := retrytest.Auto(m)
//	err := retry.Do(ctx, fn, retry.WithClock(clk), retry.WithJitter(retry.NoJitter))
//	fmt.Println(err, clk.Waits()) // <nil> [100ms 200ms]
//
// A wait on the mock alone blocks until another goroutine advances the mock. With Auto a wait takes no
// time, and other timers of m that are due by then have fired. A nil m panics.
func Auto(m Mock) *AutoClock {
	if m == nil {
		panic("retrytest: Auto: nil clock")
	}
	return &AutoClock{mock: m}
}

// Now returns the mock's time.
func (c *AutoClock) Now() time.Time { return c.mock.Now() }

// After records the wait d and advances the mock by d at once. It returns the mock's channel, which is
// ready. A d of 0 or below takes no time.
func (c *AutoClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	d = max(d, 0) // mocks differ on negative durations
	due := c.mock.After(d)
	c.mock.Add(d)
	return due
}

// Add advances the mock by d and records no wait. A function that is retried calls it to take virtual
// time. Unlike the mock's own Add it may be called by several goroutines.
func (c *AutoClock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mock.Add(d)
}

// Waits returns the waits recorded so far, in order. They are the arguments of After.
func (c *AutoClock) Waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.waits)
}

// WithTimeout calls the mock's method of that name. If the mock has none, the timeout runs in real
// time. A call with this clock takes its attempt timeouts from here.
//
// The mock decides when a context ends. The Mock of benbjohnson/clock ends it in another goroutine, so
// a function must wait for ctx.Done() before it looks at ctx.Err().
func (c *AutoClock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if m, ok := c.mock.(interface {
		WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
	}); ok {
		return m.WithTimeout(ctx, d)
	}
	return context.WithTimeout(ctx, d)
}
