package retry_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
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
	errDown    = errors.New("server down")
	errOdd     = errors.New("odd")
	errRefused = errors.New("connection refused")
	errQuota   = errors.New("quota is spent")
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

// failTimes returns a function that fails n times with err and then succeeds. It also returns the
// counter of its calls.
func failTimes(n int, err error) (fn func(context.Context) error, calls *int) {
	calls = new(int)
	return func(context.Context) error {
		if *calls++; *calls <= n {
			return err
		}
		return nil
	}, calls
}

// alwaysReturn returns a function that always returns err.
func alwaysReturn(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// retryError asserts that err is an *Error and returns it.
func retryError(t testing.TB, err error) *retry.Error {
	t.Helper()
	require.Error(t, err)
	e, ok := err.(*retry.Error)
	require.Truef(t, ok, "%T is not a *retry.Error: %v", err, err)
	require.NotNil(t, e)
	return e
}

// withoutMark returns err without the mark around it, as [retry.Error].Err holds it.
func withoutMark(err error) error {
	switch reflect.TypeOf(err) {
	case reflect.TypeOf(retry.Permanent(errDown)), reflect.TypeOf(retry.After(time.Second, errDown)):
		return withoutMark(errors.Unwrap(err))
	}
	return err
}

// outcomes collects the arguments of Done hooks.
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

// one asserts that there is exactly one outcome and returns it.
func (o *outcomes) one(t testing.TB) retry.Outcome {
	t.Helper()
	require.Len(t, o.all, 1)
	return o.all[0]
}

const (
	ms      = time.Millisecond
	longest = time.Duration(math.MaxInt64)
)

// plainBackoff is a strategy type of the user. It gets no default jitter and no default cap.
type plainBackoff time.Duration

func (b plainBackoff) Delay(retry.Attempt) time.Duration { return time.Duration(b) }

// secondsByNumber waits a.Number seconds, which shows the number that a chain gives its member.
func secondsByNumber(a retry.Attempt) time.Duration { return time.Duration(a.Number) * time.Second }

// almostOne is the largest number below 1.
const almostOne = 1 - 1.0/(1<<53)

// fixedRand makes every random number u.
func fixedRand(u float64) retry.Option { return retry.WithRand(func() float64 { return u }) }

// tryWaits returns the waits of a call that fails n times. The attempts take no time and nothing
// waits.
func tryWaits(t testing.TB, n int, opts ...retry.Option) []time.Duration {
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

// assertWaits compares waits, with a tolerance for rounding.
func assertWaits(t testing.TB, want, got []time.Duration) {
	t.Helper()
	if !assert.Len(t, got, len(want)) {
		return
	}
	for i := range want {
		assert.InDelta(t, want[i], got[i], float64(want[i])*1e-6, "wait %d: want %v, got %v", i+1, want[i], got[i])
	}
}

func fail(context.Context) error { return errRefused }

// failedAttempt returns an attempt with this number that failed with errDown.
func failedAttempt(number int) retry.Attempt { return retry.Attempt{Number: number, Err: errDown} }

// doublingWaits waits 1s, 2s, 4s, … exactly.
var doublingWaits = retry.MustNew(retry.WithBackoff(retry.Exponential(time.Second, 2)), retry.WithJitter(retry.NoJitter))

// withDeadline returns a context whose deadline is d from now, in real time.
func withDeadline(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// stopAt returns a stop function that returns err from this attempt on.
func stopAt(number int, err error) func(retry.Attempt) error {
	return func(a retry.Attempt) error {
		if a.Number >= number {
			return err
		}
		return nil
	}
}

// jumpClock ends every wait at once: its time jumps to the end of the wait.
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

// typedError is an error type with a pointer receiver.
type typedError struct{ code int }

func (e *typedError) Error() string { return fmt.Sprint("error ", e.code) }

// coded is an interface type of error.
type coded interface {
	error
	Code() int
}

func (e *typedError) Code() int { return e.code }

func yes(retry.Attempt) bool { return true }

func no(retry.Attempt) bool { return false }

// hintError gives a hint by its own method.
type hintError struct {
	d  time.Duration
	ok bool
}

func (hintError) Error() string { return "own hint" }

func (h hintError) RetryAfter() (time.Duration, bool) { return h.d, h.ok }

// countUp returns a function that returns 1, 2, 3, …
func countUp() func(context.Context) (int, error) {
	n := 0
	return func(context.Context) (int, error) { n++; return n, nil }
}

// rejectAll rejects every value with reason.
func rejectAll(reason error) retry.Option {
	return retry.WithValidator(func(int, retry.Attempt) error { return reason })
}

func succeed(context.Context) error { return nil }

// journal records events in order.
type journal []string

func (j *journal) notef(format string, args ...any) { *j = append(*j, fmt.Sprintf(format, args...)) }

// count returns how many events start with prefix.
func (j journal) count(prefix string) (n int) {
	for _, note := range j {
		if strings.HasPrefix(note, prefix) {
			n++
		}
	}
	return n
}

// gate records when it is passed and when it is released.
func (j *journal) gate(name string) retry.Gate {
	return func(_ context.Context, a retry.Attempt) (func(error), error) {
		j.notef("%s in %d", name, a.Number)
		return func(err error) { j.notef("%s out: %v", name, err) }, nil
	}
}

// refusingGate returns a gate that refuses with err.
func refusingGate(err error) retry.Gate {
	return func(context.Context, retry.Attempt) (func(error), error) { return nil, err }
}
