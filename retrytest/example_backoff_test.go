package retrytest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// Doubling is a backoff that works until two calls share it.
type Doubling struct{ next time.Duration }

func (d *Doubling) Delay(retry.Attempt) time.Duration {
	d.next = min(2*d.next, time.Hour)
	return d.next
}

// In a test the first argument is the t of the test. Here it prints the failures.
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
