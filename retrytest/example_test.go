package retrytest_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// Mailer is the code under test. A test can add to its options. A field with a policy works too.
type Mailer struct {
	Send    func(ctx context.Context) error
	Options []retry.Option
}

func (m *Mailer) Deliver(ctx context.Context) error {
	opts := append([]retry.Option{retry.WithName("deliver"), retry.WithMaxAttempts(4)}, m.Options...)
	return retry.Do(ctx, m.Send, opts...)
}

// A unit test of code that retries. A real one has a *testing.T and checks with t.Errorf.
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
