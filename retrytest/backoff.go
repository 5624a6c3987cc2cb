package retrytest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-205ff063/retry"
)

// TestBackoff checks that b keeps the rules of a [retry.Backoff], and reports to t which
// attempt it breaks them for:
//
//   - a delay is never negative, and so never the result of an overflow: for every attempt up
//     to 200, for larger ones up to math.MaxInt, after short and after endless waits;
//   - the same Attempt gets the same delay, whatever b was asked before: b has no state;
//   - that also holds when many goroutines ask at once. Run the test with -race as well.
//
// It takes some milliseconds. A panic of b's is reported like a wrong delay.
func TestBackoff(t testing.TB, b retry.Backoff) {
	t.Helper()
	if b == nil {
		t.Errorf("nil Backoff")
		return
	}
	probes := newProbes()
	for _, check := range []func(retry.Backoff, []probe) error{inRange, stateless, concurrent} {
		if err := check(b, probes); err != nil {
			t.Errorf("%T: %v", b, err)
			return // the checks build on one another
		}
	}
}

// probe is an attempt to ask a backoff about, and its first answer.
type probe struct {
	attempt retry.Attempt
	delay   time.Duration
}

func newProbes() []probe {
	waits := []time.Duration{0, 1, time.Second, time.Hour, math.MaxInt64/2 + 1, math.MaxInt64}
	failure := errors.New("retrytest: some error")
	var probes []probe
	for _, n := range attemptNumbers() {
		for _, waited := range waits {
			probes = append(probes, probe{attempt: retry.Attempt{
				Number: n, Start: epoch, Waited: waited,
				Duration: time.Millisecond, Elapsed: waited, Err: failure,
			}})
		}
	}
	return probes
}

// attemptNumbers are the small ones and then those that make products overflow: a factor that
// grows by a bit at a time sooner or later reaches the sign.
func attemptNumbers() []int {
	var numbers []int
	for n := 1; n <= 200; n++ {
		numbers = append(numbers, n)
	}
	for n := 256; n > 0; n *= 2 { // until it overflows itself
		numbers = append(numbers, n-1, n, n+1, n/2*3)
	}
	for n := 1000; n <= math.MaxInt/10; n *= 10 {
		numbers = append(numbers, n)
	}
	return append(numbers, math.MaxInt-1, math.MaxInt)
}

// inRange asks b about every probe, and keeps the answers.
func inRange(b retry.Backoff, probes []probe) error {
	var longest probe
	for i := range probes {
		p := &probes[i]
		d, err := ask(b, p.attempt)
		switch {
		case err != nil:
			return err
		case d < 0 && longest.delay > math.MaxInt64/4:
			return fmt.Errorf("%s: the delay overflows to %v; it was %v for %s",
				name(p.attempt), d, longest.delay, name(longest.attempt))
		case d < 0:
			return fmt.Errorf("%s: the delay %v is negative", name(p.attempt), d)
		}
		p.delay = d
		if d > longest.delay {
			longest = *p
		}
	}
	return nil
}

// stateless asks again: each attempt twice in a row, after the first one, and all backwards.
func stateless(b retry.Backoff, probes []probe) error {
	var order []probe
	for _, p := range probes {
		order = append(order, probes[0], p, p)
	}
	for _, p := range slices.Backward(probes) {
		order = append(order, p)
	}
	for _, p := range order {
		if err := same(b, p); err != nil {
			return fmt.Errorf("%w: it depends on earlier calls or on chance", err)
		}
	}
	return nil
}

// concurrent asks again in many goroutines, each of which is at another attempt.
func concurrent(b retry.Backoff, probes []probe) error {
	const goroutines, rounds = 8, 2
	var (
		wg    sync.WaitGroup
		start = make(chan struct{})
		found [goroutines]error
	)
	for g := range goroutines {
		wg.Go(func() {
			<-start
			for i := range rounds * len(probes) {
				p := probes[(i+g*len(probes)/goroutines)%len(probes)]
				if found[g] = same(b, p); found[g] != nil {
					return
				}
			}
		})
	}
	close(start)
	wg.Wait()
	for _, err := range found {
		if err != nil {
			return fmt.Errorf("%w, when other goroutines ask too: it is not safe for concurrent use", err)
		}
	}
	return nil
}

// same asks b about p once more.
func same(b retry.Backoff, p probe) error {
	d, err := ask(b, p.attempt)
	if err == nil && d != p.delay {
		err = fmt.Errorf("%s: the delay is %v, and was %v for the same Attempt", name(p.attempt), d, p.delay)
	}
	return err
}

// ask is Delay with a panic as an error.
func ask(b retry.Backoff, a retry.Attempt) (d time.Duration, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: panic: %v", name(a), r)
		}
	}()
	return b.Delay(a), nil
}

func name(a retry.Attempt) string {
	return fmt.Sprintf("attempt %d (waited %v)", a.Number, a.Waited)
}
