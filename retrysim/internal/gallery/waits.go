package gallery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysim/internal/picture"
	"github.com/seed-205ff063/retry/retrysim/internal/report"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// strategies draws how waits grow without jitter.
func strategies(context.Context) (picture.Figure, error) {
	const retries = 8
	f := picture.Figure{
		Title: "How waits grow: first delay 1 s, cap 30 s, no jitter",
		X:     picture.Axis{Label: "retry", Marks: wholeMarks(retries), Min: 0.7, Max: retries + 0.3},
	}
	panel := picture.Panel{Y: picture.Axis{Label: "wait (s), doubling scale", Log: true, Min: 0.8, Max: 40}}
	for i, p := range []sim.Policy{
		policy("constant(1s)", "backoff=constant(1s)"),
		policy("linear(1s,1s)", "backoff=linear(1s,1s) jitter=none"),
		policy("fibonacci(1s)", "backoff=fibonacci(1s) jitter=none"),
		policy("exponential(1s,2)", "backoff=exponential(1s,2) jitter=none"),
		policy("decorrelated(1s,3), median", "backoff=decorrelated(1s,3)"),
	} {
		unlimited := retry.MustNew(p.Policy, retry.WithMaxAttempts(retry.Unlimited))
		s := picture.Series{Style: i, Kind: picture.Marked}
		for _, step := range unlimited.Plan(retries) {
			s.X, s.Y = append(s.X, float64(step.Retry)), append(s.Y, step.Median.Seconds())
		}
		f.Legend, panel.Series = append(f.Legend, p.Name), append(panel.Series, s)
	}
	f.Panels = []picture.Panel{panel}
	return f, nil
}

// wholeMarks returns marks from 1 to n.
func wholeMarks(n int) (marks []picture.Mark) {
	for i := 1; i <= n; i++ {
		marks = append(marks, picture.Mark{At: float64(i), Name: strconv.Itoa(i)})
	}
	return marks
}

// jitterRanges draws the range that each jitter draws a wait from.
func jitterRanges(context.Context) (picture.Figure, error) {
	names := []string{"none", "full", "equal", "add(0.25)", "spread(0.2)"}
	panel := picture.Panel{Y: picture.Axis{Label: "jitter", Min: -0.6, Max: float64(len(names)) - 0.4}}
	for i, name := range names {
		step := policy(name, "backoff=constant(1s) jitter="+name).Policy.Plan(1)[0]
		row := float64(len(names) - 1 - i)
		panel.Y.Marks = append(panel.Y.Marks, picture.Mark{At: row, Name: name})
		panel.Series = append(panel.Series, picture.Series{
			Style: i, Kind: picture.Spans,
			X: []float64{step.Median.Seconds()}, Y: []float64{row},
			Low: []float64{step.Min.Seconds()}, High: []float64{step.Max.Seconds()},
		})
	}
	return picture.Figure{
		Title:  "Where a wait may fall, all values equally likely; the mark is the median",
		X:      picture.Axis{Label: "wait, in nominal delays", Max: 1.3},
		Panels: []picture.Panel{panel},
	}, nil
}

// defaultPlan draws the waits of the library's default policy.
func defaultPlan(context.Context) (picture.Figure, error) {
	f := report.Plan(10, []sim.Policy{policy("default: exponential(100ms,2), full jitter, 5 attempts", "")}).Figure
	f.Title = "The default policy: shortest, median and longest waits"
	return f, nil
}

const (
	capLimit   = 30 * time.Second
	capClients = 60_000
	capRetry   = 10
)

// capTrap compares a cap on the range that a wait is drawn from with a cap on the drawn wait.
func capTrap(ctx context.Context) (picture.Figure, error) {
	const text = "max_attempts=11 max_delay=30s backoff=decorrelated(1s,3)"
	f := picture.Figure{
		Title: "The wait before retry 10, decorrelated(1s,3), cap 30 s, 60,000 clients",
		X:     picture.Axis{Label: "wait (s), in steps of 1 s", Max: 32},
	}
	for i, c := range []struct {
		title  string
		policy sim.Policy
	}{
		{"range capped, as here", policy("range", text)},
		{"drawn wait clamped, as elsewhere", clamped(policy("clamped", text))},
	} {
		waits := newHistogram()
		c.policy.Extend = both(c.policy.Extend, waits.options)
		results, err := sim.Herd{Clients: capClients, Seed: seed}.Run(ctx, c.policy)
		if err != nil {
			return f, err
		}
		f.Panels = append(f.Panels, picture.Panel{
			Title:  c.title,
			Y:      picture.Axis{Label: fmt.Sprintf("%% of clients, %.0f %% at the cap", 100*results[0].AtCapShare), Max: 40},
			Series: []picture.Series{waits.series(i)},
		})
	}
	return f, nil
}

// clamped makes the policy draw a decorrelated wait first and cut it at the cap afterwards, as
// other libraries do.
func clamped(p sim.Policy) sim.Policy {
	p.Extend = func(r *rand.Rand) []retry.Option {
		return []retry.Option{retry.WithBackoff(retry.BackoffFunc(func(a retry.Attempt) time.Duration {
			const initial = time.Second
			width := 3*max(a.Waited, initial) - initial
			return min(initial+time.Duration(r.Float64()*float64(width)), capLimit)
		}))}
	}
	return p
}

// both returns the options of f and g. The first may be nil.
func both(f, g func(*rand.Rand) []retry.Option) func(*rand.Rand) []retry.Option {
	if f == nil {
		return g
	}
	return func(r *rand.Rand) []retry.Option { return append(f(r), g(r)...) }
}

// histogram counts the waits before retry capRetry by whole seconds.
type histogram struct {
	mu     sync.Mutex
	counts []int
}

func newHistogram() *histogram { return &histogram{counts: make([]int, 32)} }

// options returns a hook that counts the waits.
func (h *histogram) options(*rand.Rand) []retry.Option {
	return []retry.Option{retry.WithHooks(retry.Hooks{BeforeWait: func(_ context.Context, a retry.Attempt) {
		if a.Number == capRetry {
			h.mu.Lock()
			h.counts[int(a.Delay/time.Second)]++
			h.mu.Unlock()
		}
	}})}
}

func (h *histogram) series(style int) picture.Series {
	s := picture.Series{Style: style, Kind: picture.Area}
	for i, n := range h.counts {
		s.X, s.Y = append(s.X, float64(i)), append(s.Y, 100*float64(n)/capClients)
	}
	return s
}
