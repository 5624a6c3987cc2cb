package retry_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

var (
	errDown = errors.New("server down")
	errOdd  = errors.New("odd")
)

// atOnce retries without waiting.
var atOnce = retry.WithBackoff(retry.Constant(0))

// every waits d before each retry.
func every(d time.Duration) retry.Option { return retry.WithBackoff(retry.Constant(d)) }

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// failing returns a function that fails n times with err and succeeds from then on, and the
// counter of its calls.
func failing(n int, err error) (fn func(context.Context) error, calls *int) {
	calls = new(int)
	return func(context.Context) error {
		if *calls++; *calls <= n {
			return err
		}
		return nil
	}, calls
}

// always fails with err.
func always(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// stopped returns err as the *Error that it must be.
func stopped(t testing.TB, err error) *retry.Error {
	t.Helper()
	require.Error(t, err)
	e, ok := err.(*retry.Error)
	require.Truef(t, ok, "%T is no *retry.Error: %v", err, err)
	require.NotNil(t, e)
	return e
}

// bare is err without the mark around it, as [retry.Error].Err has it.
func bare(err error) error {
	switch fmt.Sprintf("%T", err) {
	case "*retry.permanent", "*retry.after":
		return bare(errors.Unwrap(err))
	}
	return err
}

// outcomes collects what the Done hooks are told.
type outcomes struct {
	mu  sync.Mutex
	all []retry.Outcome
}

func (o *outcomes) hook() retry.Option {
	return retry.WithHooks(retry.Hooks{Done: func(_ context.Context, out retry.Outcome) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.all = append(o.all, out)
	}})
}

// one is the only outcome there may be.
func (o *outcomes) one(t testing.TB) retry.Outcome {
	t.Helper()
	require.Len(t, o.all, 1)
	return o.all[0]
}

const (
	ms      = time.Millisecond
	longest = time.Duration(math.MaxInt64)
)

// plainBackoff is a user's own type, which is taken literally.
type plainBackoff time.Duration

func (b plainBackoff) Delay(retry.Attempt) time.Duration { return time.Duration(b) }

// secondsByNumber waits a.Number seconds, so that a test sees which number its member is given.
func secondsByNumber(a retry.Attempt) time.Duration { return time.Duration(a.Number) * time.Second }

// anyBackoff makes one of the package's strategies of whatever numbers it is given.
func anyBackoff(kind uint8, initial, step time.Duration, factor float64) retry.Backoff {
	switch kind % 8 {
	case 0:
		return retry.Constant(initial)
	case 1:
		return retry.Linear(initial, step)
	case 2:
		return retry.Exponential(initial, factor)
	case 3:
		return retry.Fibonacci(initial)
	case 4:
		return retry.Decorrelated(initial, factor)
	case 5:
		return retry.Sequence(initial, step)
	case 6:
		return retry.Chain(int(step%10), retry.Linear(initial, step), retry.Decorrelated(initial, factor))
	default:
		return retry.Chain(2, retry.Chain(int(step%3), retry.Exponential(initial, factor), retry.Constant(step)), retry.Fibonacci(initial))
	}
}

var errRefused = errors.New("connection refused")

// almost1 is the largest number below 1.
const almost1 = 1 - 1.0/(1<<53)

// sampling makes every random number u.
func sampling(u float64) retry.Option { return retry.WithRand(func() float64 { return u }) }

// seeded makes random numbers that are the same in every run.
func seeded(seed uint64) retry.Option { return retry.WithRand(rand.New(rand.NewPCG(seed, 1)).Float64) }

// decided returns the waits that the policy of opts decides on in a call that fails n times
// without taking any time. Nothing waits.
func decided(t testing.TB, n int, opts ...retry.Option) []time.Duration {
	t.Helper()
	p, err := retry.New(append([]retry.Option{retry.WithMaxAttempts(n + 1), retry.WithClock(clock.NewMock())}, opts...)...)
	require.NoError(t, err)
	run := p.Start(context.Background())
	waits := make([]time.Duration, 0, n)
	for range n {
		wait, again := run.Try(func(context.Context) error { return errRefused })
		require.True(t, again, "%v", run.Err())
		waits = append(waits, wait)
	}
	return waits
}

// assertWaits compares waits but for the last digits, which a sample's rounding costs.
func assertWaits(t testing.TB, want, got []time.Duration) {
	t.Helper()
	if !assert.Len(t, got, len(want)) {
		return
	}
	for i := range want {
		assert.InDelta(t, want[i], got[i], float64(want[i])*1e-6, "wait %d: want %v, got %v", i+1, want[i], got[i])
	}
}

// anyDuration is of any magnitude.
func anyDuration(r *rand.Rand) time.Duration { return time.Duration(r.Int64() >> r.IntN(63)) }

// anyPolicy has settings of any magnitude, all of them valid.
func anyPolicy(r *rand.Rand, attempts int) []retry.Option {
	b := anyBackoff(uint8(r.Uint32()), anyDuration(r), anyDuration(r), 1+r.ExpFloat64()*float64(r.IntN(3)))
	opts := []retry.Option{retry.WithBackoff(b), retry.WithMaxAttempts(attempts)}
	if r.IntN(2) > 0 {
		jitter := retry.Jitter{Lo: r.Float64()}
		jitter.Hi = jitter.Lo + r.ExpFloat64()
		opts = append(opts, retry.WithJitter(jitter))
	}
	if r.IntN(2) > 0 {
		opts = append(opts, retry.WithMaxDelay(anyDuration(r)))
	}
	if r.IntN(3) == 0 {
		opts = append(opts, retry.WithMaxElapsed(anyDuration(r)))
	}
	return opts
}

func fail(context.Context) error { return errRefused }

// failed is the attempt of that number that failed with errDown.
func failed(number int) retry.Attempt { return retry.Attempt{Number: number, Err: errDown} }

// doubling waits 1s, 2s, 4s, … exactly.
var doubling = retry.MustNew(retry.WithBackoff(retry.Exponential(time.Second, 2)), retry.WithJitter(retry.NoJitter))

// ending returns a context with that deadline from now, of real time.
func ending(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

var errQuota = errors.New("quota is spent")

// stopAt stops a call at the attempt of that number.
func stopAt(number int, err error) func(retry.Attempt) error {
	return func(a retry.Attempt) error {
		if a.Number >= number {
			return err
		}
		return nil
	}
}

// A clock on which every wait is over at once, as if time jumped there.
type jumpClock struct {
	now    time.Time
	onWait func(d time.Duration)
}

func (c *jumpClock) Now() time.Time { return c.now }

func (c *jumpClock) After(d time.Duration) <-chan time.Time {
	c.now = c.now.Add(d)
	if c.onWait != nil {
		c.onWait(d)
	}
	due := make(chan time.Time, 1)
	due <- c.now
	return due
}

// typedError is a concrete pointer type of error.
type typedError struct{ code int }

func (e *typedError) Error() string { return fmt.Sprint("fault ", e.code) }

// coded is an interface type of error.
type coded interface {
	error
	Code() int
}

func (e *typedError) Code() int { return e.code }

func yes(retry.Attempt) bool { return true }

func no(retry.Attempt) bool { return false }

// hintError hints without this package's help.
type hintError struct {
	d  time.Duration
	ok bool
}

func (hintError) Error() string                       { return "own hint" }
func (h hintError) RetryAfter() (time.Duration, bool) { return h.d, h.ok }

// counting returns 1, 2, 3, …
func counting() func(context.Context) (int, error) {
	n := 0
	return func(context.Context) (int, error) { n++; return n, nil }
}

// rejectAll rejects every value for the reason.
func rejectAll(reason error) retry.Option {
	return retry.WithValidator(func(int, retry.Attempt) error { return reason })
}

func succeed(context.Context) error { return nil }

// journal records what happens in order.
type journal []string

func (j *journal) notef(format string, args ...any) { *j = append(*j, fmt.Sprintf(format, args...)) }

// count is how many notes begin so.
func (j journal) count(prefix string) (n int) {
	for _, note := range j {
		if strings.HasPrefix(note, prefix) {
			n++
		}
	}
	return n
}

// gate notes when it is passed and released.
func (j *journal) gate(name string) retry.Gate {
	return func(_ context.Context, a retry.Attempt) (func(error), error) {
		j.notef("%s in %d", name, a.Number)
		return func(err error) { j.notef("%s out: %v", name, err) }, nil
	}
}

// refusing is a gate that refuses with err.
func refusing(err error) retry.Gate {
	return func(context.Context, retry.Attempt) (func(error), error) { return nil, err }
}
