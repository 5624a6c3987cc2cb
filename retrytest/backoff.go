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

// TestBackoff checks the rules of a [retry.Backoff] on b. It reports to t the first attempt for which b
// breaks one:
//
//   - A delay is never negative. This finds overflows too. Attempts up to 200 are checked, and larger
//     ones up to math.MaxInt, after short and very long waits.
//   - The same Attempt has the same delay, whatever b was asked before: b has no state.
//   - The same is true when many goroutines call b at once. Run the test with -race too.
//
// It takes some milliseconds. A panic in b is reported like a wrong delay.
func TestBackoff(t testing.TB, b retry.Backoff) {
	t.Helper()
	if b == nil {
		t.Errorf("nil Backoff")
		return
	}
	probes := newProbes()
	for _, check := range []func(retry.Backoff, []probe) error{checkRange, checkStateless, checkConcurrent} {
		if err := check(b, probes); err != nil {
			t.Errorf("%T: %v", b, err)
			return // later checks need the earlier ones
		}
	}
}

// probe is an attempt, with the backoff's first delay for it.
type probe struct {
	attempt retry.Attempt
	delay   time.Duration
}

// newProbes returns the attempts that b is checked with.
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

// attemptNumbers returns small numbers and then numbers that make products overflow. A factor that
// doubles reaches the sign bit at some point.
func attemptNumbers() []int {
	var numbers []int
	for n := 1; n <= 200; n++ {
		numbers = append(numbers, n)
	}
	for n := 256; n > 0; n *= 2 { // until n overflows
		numbers = append(numbers, n-1, n, n+1, n/2*3)
	}
	for n := 1000; n <= math.MaxInt/10; n *= 10 {
		numbers = append(numbers, n)
	}
	return append(numbers, math.MaxInt-1, math.MaxInt)
}

// checkRange sets the delay of each probe, and checks it.
func checkRange(b retry.Backoff, probes []probe) error {
	var longest probe
	for i := range probes {
		p := &probes[i]
		d, err := delayOf(b, p.attempt)
		switch {
		case err != nil:
			return err
		case d < 0 && longest.delay > math.MaxInt64/4:
			return fmt.Errorf("%s: the delay overflows to %v; it was %v for %s",
				describe(p.attempt), d, longest.delay, describe(longest.attempt))
		case d < 0:
			return fmt.Errorf("%s: the delay %v is negative", describe(p.attempt), d)
		}
		p.delay = d
		if d > longest.delay {
			longest = *p
		}
	}
	return nil
}

// checkStateless repeats each attempt twice in a row, after the first one, and then all in reverse.
func checkStateless(b retry.Backoff, probes []probe) error {
	var order []probe
	for _, p := range probes {
		order = append(order, probes[0], p, p)
	}
	for _, p := range slices.Backward(probes) {
		order = append(order, p)
	}
	for _, p := range order {
		if err := checkSame(b, p); err != nil {
			return fmt.Errorf("%w: it depends on earlier calls or on chance", err)
		}
	}
	return nil
}

// checkConcurrent repeats the attempts in many goroutines. Each one is at another attempt.
func checkConcurrent(b retry.Backoff, probes []probe) error {
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
				if found[g] = checkSame(b, p); found[g] != nil {
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

// checkSame checks that b has the same delay for p again.
func checkSame(b retry.Backoff, p probe) error {
	d, err := delayOf(b, p.attempt)
	if err == nil && d != p.delay {
		err = fmt.Errorf("%s: the delay is %v, and was %v for the same Attempt", describe(p.attempt), d, p.delay)
	}
	return err
}

// delayOf returns the delay of b for the attempt, or an error if b panics.
func delayOf(b retry.Backoff, a retry.Attempt) (d time.Duration, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: panic: %v", describe(a), r)
		}
	}()
	return b.Delay(a), nil
}

// describe returns a text for the attempt.
func describe(a retry.Attempt) string {
	return fmt.Sprintf("attempt %d (waited %v)", a.Number, a.Waited)
}
