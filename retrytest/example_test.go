package retrytest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// Mailer is the code under test. Its policy is a field, or options as here, so that a test can
// add to it.
type Mailer struct {
	Send    func(ctx context.Context) error
	Options []retry.Option
}

func (m *Mailer) Deliver(ctx context.Context) error {
	opts := append([]retry.Option{retry.WithName("deliver"), retry.WithMaxAttempts(4)}, m.Options...)
	return retry.Do(ctx, m.Send, opts...)
}

// A unit test of code that retries. In a real one the t is a *testing.T, and the checks are
// its t.Errorf.
func Example() {
	TestDeliver := func(send func(context.Context) error) {
		var clk retrytest.Clock
		var calls atomic.Int64
		m := &Mailer{
			Send:    retrytest.Count(&calls, send),
			Options: []retry.Option{retry.WithClock(&clk), retry.WithJitter(retry.NoJitter)},
		}
		err := m.Deliver(context.Background())
		fmt.Println(calls.Load(), "calls, waits", clk.Waits(), "error:", err)
	}
	errRefused := errors.New("connection refused")
	TestDeliver(retrytest.Fail(0, errRefused))
	TestDeliver(retrytest.Fail(2, errRefused))
	TestDeliver(retrytest.Fail(9, errRefused))
	TestDeliver(retrytest.Script(errRefused, retry.Permanent(errors.New("no such mailbox"))))

	// Output:
	// 1 calls, waits [] error: <nil>
	// 3 calls, waits [100ms 200ms] error: <nil>
	// 4 calls, waits [100ms 200ms 400ms] error: retry: deliver: attempts exhausted after 4 attempts in 700ms: connection refused
	// 2 calls, waits [100ms] error: retry: deliver: permanent error after 2 attempts in 100ms: no such mailbox
}

// A limit on the whole call counts waits and what the attempts take, all in virtual time.
func ExampleClock() {
	var clk retrytest.Clock
	err := retry.Do(context.Background(), func(context.Context) error {
		clk.Advance(10 * time.Second) // the attempt takes so long
		return errors.New("overloaded")
	}, retry.WithClock(&clk), retry.WithBackoff(retry.Constant(20*time.Second)), retry.WithMaxElapsed(time.Minute))
	fmt.Println(err)
	fmt.Println(clk.Waits())
	// Output:
	// retry: time limit reached (next wait 20s) after 2 attempts in 40s: overloaded
	// [20s]
}

func ExampleNewClock() {
	clk := retrytest.NewClock(time.Date(2026, time.December, 31, 23, 59, 59, 0, time.UTC))
	err := retry.Do(context.Background(), retrytest.Fail(1, errors.New("busy")),
		retry.WithClock(clk), retry.WithBackoff(retry.Constant(2*time.Second)))
	fmt.Println(err, clk.Now())
	// Output:
	// <nil> 2027-01-01 00:00:01 +0000 UTC
}

func ExampleClock_Now() {
	var clk retrytest.Clock
	fmt.Println(clk.Now())
	// Output:
	// 2000-01-01 00:00:00 +0000 UTC
}

func ExampleClock_After() {
	var clk retrytest.Clock
	now := <-clk.After(time.Hour) // at once
	fmt.Println(now.Format(time.TimeOnly))
	// Output:
	// 01:00:00
}

func ExampleClock_Advance() {
	var clk retrytest.Clock
	clk.Advance(90 * time.Minute)
	fmt.Println(clk.Now().Format(time.TimeOnly), clk.Waits())
	// Output:
	// 01:30:00 []
}

func ExampleClock_Waits() {
	var clk retrytest.Clock
	_ = retry.Do(context.Background(), retrytest.Fail(9, errors.New("busy")),
		retry.WithClock(&clk), retry.WithJitter(retry.NoJitter))
	fmt.Println(clk.Waits())
	// Output:
	// [100ms 200ms 400ms 800ms]
}

// The caller's context has a deadline in virtual time: the call gives up instead of waiting
// past it.
func ExampleClock_WithTimeout() {
	var clk retrytest.Clock
	ctx, cancel := clk.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := retry.Do(ctx, retrytest.Fail(9, errors.New("busy")),
		retry.WithClock(&clk), retry.WithJitter(retry.NoJitter))
	fmt.Println(err)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output:
	// retry: next wait of 800ms would pass the deadline after 4 attempts in 700ms: busy
	// true
}

// An attempt that takes longer than its timeout: its context ends by the Clock, and the
// attempt is retried.
func ExampleClock_WithTimeout_attempt() {
	var clk retrytest.Clock
	n := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if n++; n == 1 {
			clk.Advance(time.Minute) // a server that does not answer
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}, retry.WithClock(&clk), retry.WithAttemptTimeout(5*time.Second))
	fmt.Println(err, n)
	// Output:
	// <nil> 2
}

// The code under test goes by a mock clock, and its retries by the same one.
func ExampleAuto() {
	m := clock.NewMock()
	clk := retrytest.Auto(m)
	expired := m.After(250 * time.Millisecond) // what the code does with the clock besides
	err := retry.Do(context.Background(), retrytest.Fail(2, errors.New("busy")),
		retry.WithClock(clk), retry.WithJitter(retry.NoJitter))
	fmt.Println(err, clk.Waits())
	fmt.Println((<-expired).UTC().Format(time.StampMilli))
	// Output:
	// <nil> [100ms 200ms]
	// Jan  1 00:00:00.250
}

// stepClock is a mock clock whose time is moved on by Step, as that of k8s.io/utils/clock.
// (That of clockwork is moved on by Advance.)
type stepClock struct{ mock *clock.Mock }

func (c stepClock) Now() time.Time                         { return c.mock.Now() }
func (c stepClock) After(d time.Duration) <-chan time.Time { return c.mock.After(d) }
func (c stepClock) Step(d time.Duration)                   { c.mock.Add(d) }

// stepped gives it the method that Auto needs.
type stepped struct{ stepClock }

func (c stepped) Add(d time.Duration) { c.Step(d) }

// A mock clock that is moved on by Step is wrapped, so that it has Add.
func ExampleMock() {
	clk := retrytest.Auto(stepped{stepClock{clock.NewMock()}})
	err := retry.Do(context.Background(), retrytest.Fail(2, errors.New("busy")),
		retry.WithClock(clk), retry.WithJitter(retry.NoJitter))
	fmt.Println(err, clk.Waits())
	// Output:
	// <nil> [100ms 200ms]
}

// A limit on the whole call counts waits and what the attempts take, all by the mock.
func ExampleAutoClock() {
	clk := retrytest.Auto(clock.NewMock())
	err := retry.Do(context.Background(), func(context.Context) error {
		clk.Add(10 * time.Second) // the attempt takes so long
		return errors.New("overloaded")
	}, retry.WithClock(clk), retry.WithBackoff(retry.Constant(20*time.Second)), retry.WithMaxElapsed(time.Minute))
	fmt.Println(err)
	fmt.Println(clk.Waits())
	// Output:
	// retry: time limit reached (next wait 20s) after 2 attempts in 40s: overloaded
	// [20s]
}

func ExampleAutoClock_Now() {
	m := clock.NewMock()
	clk := retrytest.Auto(m)
	m.Add(time.Hour)
	fmt.Println(clk.Now().UTC())
	// Output:
	// 1970-01-01 01:00:00 +0000 UTC
}

func ExampleAutoClock_After() {
	clk := retrytest.Auto(clock.NewMock())
	now := <-clk.After(time.Hour) // at once
	fmt.Println(now.UTC().Format(time.TimeOnly))
	// Output:
	// 01:00:00
}

func ExampleAutoClock_Add() {
	clk := retrytest.Auto(clock.NewMock())
	clk.Add(90 * time.Minute)
	fmt.Println(clk.Now().UTC().Format(time.TimeOnly), clk.Waits())
	// Output:
	// 01:30:00 []
}

func ExampleAutoClock_Waits() {
	clk := retrytest.Auto(clock.NewMock())
	_ = retry.Do(context.Background(), retrytest.Fail(9, errors.New("busy")),
		retry.WithClock(clk), retry.WithJitter(retry.NoJitter))
	fmt.Println(clk.Waits())
	// Output:
	// [100ms 200ms 400ms 800ms]
}

// An attempt that takes longer than its timeout: its context ends by the mock, and the attempt
// is retried.
func ExampleAutoClock_WithTimeout() {
	clk := retrytest.Auto(clock.NewMock())
	n := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if n++; n == 1 {
			clk.Add(time.Minute) // a server that does not answer
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}, retry.WithClock(clk), retry.WithAttemptTimeout(5*time.Second))
	fmt.Println(err, n)
	// Output:
	// <nil> 2
}

func ExampleFailValue() {
	fn := retrytest.FailValue(2, errors.New("busy"), "ready")
	for range 4 {
		fmt.Println(fn(context.Background()))
	}
	// Output:
	//  busy
	//  busy
	// ready <nil>
	// ready <nil>
}

func ExampleFail() {
	fn := retrytest.Fail(2, errors.New("busy"))
	for range 4 {
		fmt.Println(fn(context.Background()))
	}
	// Output:
	// busy
	// busy
	// <nil>
	// <nil>
}

func ExampleScript() {
	fn := retrytest.Script(errors.New("busy"), nil)
	for range 3 {
		fmt.Println(fn(context.Background()))
	}
	// Output:
	// busy
	// <nil>
	// retrytest: call 3 of a script with 2 results
}

func ExampleScriptValue() {
	var clk retrytest.Clock
	state := retrytest.ScriptValue(
		retrytest.Returns("", errors.New("busy")),
		func() (string, error) { clk.Advance(time.Second); return "pending", nil },
		retrytest.Returns("ready", nil),
	)
	v, err := retry.DoValue(context.Background(), state, retry.WithClock(&clk),
		retry.WithValidator(func(v string, _ retry.Attempt) error {
			if v != "ready" {
				return errors.New("not ready")
			}
			return nil
		}))
	fmt.Println(v, err, len(clk.Waits()))
	// Output:
	// ready <nil> 2
}

func ExampleReturns() {
	result := retrytest.Returns(42, errors.New("partial"))
	fmt.Println(result())
	// Output:
	// 42 partial
}

func ExampleCount() {
	var clk retrytest.Clock
	var calls atomic.Int64
	fn := retrytest.Count(&calls, retrytest.Fail(2, errors.New("busy")))
	_ = retry.Do(context.Background(), fn, retry.WithClock(&clk))
	fmt.Println(calls.Load())
	// Output:
	// 3
}

func ExampleHandler() {
	server := httptest.NewServer(retrytest.Handler(http.StatusServiceUnavailable, http.StatusOK))
	defer server.Close()
	for range 3 {
		response, err := http.Get(server.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		fmt.Println(response.StatusCode, string(body), err)
	}
	// Output:
	// 503 Service Unavailable <nil>
	// 200 OK <nil>
	// 200 OK <nil>
}

func ExampleHandlerRetryAfter() {
	h := retrytest.HandlerRetryAfter(3*time.Second, http.StatusTooManyRequests, http.StatusOK)
	for range 2 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("Retry-After"))
	}
	// Output:
	// 429 "3"
	// 200 ""
}

// Doubling is a backoff of the kind that works until two calls share it.
type Doubling struct{ next time.Duration }

func (d *Doubling) Delay(retry.Attempt) time.Duration {
	d.next = min(2*d.next, time.Hour)
	return d.next
}

// In a test the first argument is its t. Here it prints what it is told.
func ExampleTestBackoff() {
	var t testing.TB = printer{}
	retrytest.TestBackoff(t, retry.Exponential(time.Second, 2))
	retrytest.TestBackoff(t, retry.BackoffFunc(func(a retry.Attempt) time.Duration {
		return time.Hour << a.Number
	}))
	retrytest.TestBackoff(t, &Doubling{next: time.Second})
	// Output:
	// retry.BackoffFunc: attempt 22 (waited 0s): the delay overflows to -929791h34m33.709551616s; it was 2097152h0m0s for attempt 21 (waited 0s)
	// *retrytest_test.Doubling: attempt 1 (waited 0s): the delay is 1h0m0s, and was 2s for the same Attempt: it depends on earlier calls or on chance
}

// printer is a testing.TB that prints failures.
type printer struct{ testing.TB }

func (printer) Helper() {}

func (printer) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
