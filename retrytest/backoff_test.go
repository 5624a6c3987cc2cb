package retrytest_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// TestBackoffPasses checks that all backoffs of package retry keep the rules, with every argument
// they accept.
func TestBackoffPasses(t *testing.T) {
	t.Parallel()
	const longest = time.Duration(math.MaxInt64)
	for name, b := range map[string]retry.Backoff{
		"constant":              retry.Constant(time.Second),
		"constant zero":         retry.Constant(0),
		"constant longest":      retry.Constant(longest),
		"linear":                retry.Linear(time.Second, 3*time.Second),
		"linear zero":           retry.Linear(0, 0),
		"linear small step":     retry.Linear(longest, 1),
		"linear longest":        retry.Linear(longest, longest),
		"exponential":           retry.Exponential(100*time.Millisecond, 2),
		"exponential zero":      retry.Exponential(0, 2),
		"exponential zero by 3": retry.Exponential(0, 3),
		"exponential by 1":      retry.Exponential(time.Second, 1),
		"exponential slow":      retry.Exponential(time.Second, math.Nextafter(1, 2)),
		"exponential 1.5":       retry.Exponential(time.Nanosecond, 1.5),
		"exponential fast":      retry.Exponential(1, math.MaxFloat64),
		"exponential longest":   retry.Exponential(longest, 2),
		"exponential huge":      retry.Exponential(longest, math.MaxFloat64),
		"fibonacci":             retry.Fibonacci(time.Second),
		"fibonacci zero":        retry.Fibonacci(0),
		"fibonacci longest":     retry.Fibonacci(longest),
		"decorrelated":          retry.Decorrelated(time.Second, 3),
		"decorrelated zero":     retry.Decorrelated(0, 3),
		"decorrelated huge":     retry.Decorrelated(longest, math.MaxFloat64),
		"sequence":              retry.Sequence(1, 2, 3),
		"sequence up and down":  retry.Sequence(longest, 1, longest, 0),
		"chain":                 retry.Chain(3, retry.Constant(time.Millisecond), retry.Exponential(time.Second, 2)),
		"chain of none":         retry.Chain(0, retry.Constant(1), retry.Linear(1, 1)),
		"chain without end":     retry.Chain(math.MaxInt, retry.Exponential(1, 2), retry.Constant(1)),
		"chain nested": retry.Chain(2, retry.Chain(1, retry.Constant(1), retry.Fibonacci(1)),
			retry.Chain(1<<30, retry.Decorrelated(time.Hour, 10), retry.Chain(5, retry.Sequence(longest), retry.Linear(1, longest)))),
		"func": retry.BackoffFunc(func(a retry.Attempt) time.Duration { return min(a.Waited, time.Hour) }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, func() error { _, err := retry.New(retry.WithBackoff(b)); return err }(), "a call accepts it")
			got := record(b)
			assert.Empty(t, got.failures)
		})
	}
}

// recorder is a testing.TB that records failures.
type recorder struct {
	testing.TB // nil: all other methods panic
	failures   []string
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// record runs TestBackoff on b.
func record(b retry.Backoff) *recorder {
	r := new(recorder)
	retrytest.TestBackoff(r, b)
	return r
}

// counting is a backoff with a common kind of state: a counter of its calls.
type counting struct{ calls atomic.Int64 }

func (c *counting) Delay(retry.Attempt) time.Duration { return time.Duration(c.calls.Add(1)) }

// passing may return what another goroutine stored in its field. A single goroutine never notices.
type passing struct{ number atomic.Int64 }

func (p *passing) Delay(a retry.Attempt) time.Duration {
	p.number.Store(int64(a.Number))
	runtime.Gosched()
	return time.Duration(p.number.Load())
}

// resetting is a backoff for a single loop. It starts over at each first attempt.
type resetting struct {
	mu   sync.Mutex
	last time.Duration
}

func (r *resetting) Delay(a retry.Attempt) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.Number == 1 {
		r.last = 0
	}
	r.last = min(r.last+1, time.Hour)
	return r.last
}

// particular returns a wrong delay for attempt number, only right after attempt after.
type particular struct{ after, number, last int }

func (p *particular) Delay(a retry.Attempt) time.Duration {
	last := p.last
	p.last = a.Number
	if a.Waited > 0 { // compare attempts without a wait only
		p.last = 0
	}
	if a.Waited == 0 && a.Number == p.number && last == p.after {
		return 1
	}
	return 0
}

// byNumber returns a backoff that depends only on the attempt's number.
func byNumber(delay func(n int) time.Duration) retry.Backoff {
	return retry.BackoffFunc(func(a retry.Attempt) time.Duration { return delay(a.Number) })
}

// badBackoff is a backoff that breaks a rule.
type badBackoff struct {
	backoff retry.Backoff
	want    []string // parts of the message
}

// badDelays returns backoffs with delays that are negative or overflow, or that panic.
func badDelays() map[string]badBackoff {
	return map[string]badBackoff{
		"nil": {nil, []string{"nil Backoff"}},
		"negative": {
			byNumber(func(int) time.Duration { return -time.Second }),
			[]string{"retry.BackoffFunc: attempt 1 (waited 0s): the delay -1s is negative"},
		},
		"negative in the end": {
			byNumber(func(n int) time.Duration { return time.Minute - time.Duration(min(n, 70))*time.Second }),
			[]string{"attempt 61 (waited 0s): the delay -1s is negative"},
		},
		"negative at the last number": {
			byNumber(func(n int) time.Duration { return min(time.Duration(math.MaxInt-n), 1) - 1 }),
			[]string{fmt.Sprintf("attempt %d (waited 0s): the delay -1ns is negative", math.MaxInt)},
		},
		"negative after an endless wait": {
			retry.BackoffFunc(func(a retry.Attempt) time.Duration { return a.Waited + 1 }),
			[]string{"attempt 1 (waited 2562047h47m16.854775807s): the delay overflows to -2562047h47m16.854775808s; it was "},
		},
		"overflowing shift": {
			byNumber(func(n int) time.Duration { return time.Second << (n - 1) }),
			[]string{"attempt 35 (waited 0s): the delay overflows to -", "; it was 2386092h56m", " for attempt 34 (waited 0s)"},
		},
		"overflowing product": {
			byNumber(func(n int) time.Duration { return time.Duration(n) * time.Hour }),
			[]string{"the delay overflows to -"},
		},
		"overflowing float": {
			byNumber(func(n int) time.Duration { return time.Second * time.Duration(1<<min(n, 62)) }),
			[]string{"attempt 34 (waited 0s): the delay overflows to -"},
		},
		"overflowing square": {
			byNumber(func(n int) time.Duration { return time.Duration(n) * time.Duration(n) * 100 * time.Millisecond }),
			[]string{"the delay overflows to -"},
		},
		"panicking": {
			byNumber(func(n int) time.Duration { return []time.Duration{1, 2, 3}[n-1] }),
			[]string{"attempt 4 (waited 0s): panic: runtime error: index out of range [3] with length 3"},
		},
	}
}

// badStates returns backoffs whose delays depend on more than the attempt.
func badStates() map[string]badBackoff {
	last := new(atomic.Int64)
	return map[string]badBackoff{
		"stateful": {
			new(counting),
			[]string{"*retrytest_test.counting: attempt ", " for the same Attempt: it depends on earlier calls or on chance"},
		},
		"resetting": {
			new(resetting),
			[]string{"attempt ", "for the same Attempt: it depends on earlier calls or on chance"},
		},
		"wrong after the first": {
			&particular{after: 1, number: 50},
			[]string{"attempt 50 (waited 0s): the delay is 1ns, and was 0s for the same Attempt"},
		},
		"wrong when asked twice": {
			&particular{after: 50, number: 50},
			[]string{"attempt 50 (waited 0s): the delay is 1ns, and was 0s for the same Attempt"},
		},
		"wrong after larger ones": {retry.BackoffFunc(func() func(retry.Attempt) time.Duration {
			largest := 0
			return func(a retry.Attempt) time.Duration {
				largest = max(largest, a.Number)
				return time.Duration(largest)
			}
		}()), []string{"attempt 1 (waited 0s): the delay is ", ", and was 1ns for the same Attempt"}},
		"wrong after the next": {retry.BackoffFunc(func() func(retry.Attempt) time.Duration {
			last := 0
			return func(a retry.Attempt) (d time.Duration) {
				if last == 51 && a.Number == 50 {
					d = 1
				}
				last = a.Number
				return d
			}
		}()), []string{"attempt 50 (waited ", "): the delay is 1ns, and was 0s for the same Attempt"}},
		"alternating": {
			byNumber(func(int) time.Duration { return time.Duration(last.Add(1) % 2) }),
			[]string{"it depends on earlier calls or on chance"},
		},
		"random": {
			byNumber(func(int) time.Duration { return rand.N(time.Second) }),
			[]string{"it depends on earlier calls or on chance"},
		},
		"not concurrent": {
			new(passing),
			[]string{"*retrytest_test.passing: attempt ", " for the same Attempt, when other goroutines ask too: it is not safe for concurrent use"},
		},
	}
}

// TestBackoffFails checks that each broken rule is one failure of one line.
func TestBackoffFails(t *testing.T) {
	t.Parallel()
	rows := badDelays()
	maps.Copy(rows, badStates())
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := record(row.backoff)
			require.Len(t, got.failures, 1)
			for _, part := range row.want {
				assert.Contains(t, got.failures[0], part)
			}
			assert.NotContains(t, strings.TrimSpace(got.failures[0]), "\n")
		})
	}
}
