package retry_test

import (
	"context"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry"
)

// allocs returns how many allocations one run of f makes.
func allocs(f func()) float64 { return testing.AllocsPerRun(200, f) }

// These tests are not parallel: AllocsPerRun counts for the whole process.

func succeedValue(context.Context) (int, error) { return 1, nil }

func failDown(context.Context) error { return errDown }

func TestAllocsOfSuccess(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := retry.MustNew(retry.WithName("call"), retry.WithMaxAttempts(3), retry.WithRetryIf(retry.Transient),
		retry.WithStopIf(retry.AlreadyRetried), retry.WithMaxElapsed(time.Minute), retry.WithBudget(retry.NewBudget(0.1, 10)))
	f := retry.Func(func(_ context.Context, in int) (int, error) { return in, nil }, p)
	for name, run := range map[string]func(){
		"Policy.Do":                          func() { _ = p.Do(ctx, succeed) },
		"Do":                                 func() { _ = retry.Do(ctx, succeed, p) },
		"Do with the defaults":               func() { _ = retry.Do(ctx, succeed) },
		"DoValue":                            func() { _, _ = retry.DoValue(ctx, succeedValue, p) },
		"DoValue with the defaults":          func() { _, _ = retry.DoValue(ctx, succeedValue) },
		"Func":                               func() { _, _ = f(ctx, 1) },
		"a context that cannot be cancelled": func() { _ = p.Do(context.Background(), succeed) },
	} {
		assert.Zero(t, allocs(run), name)
	}
}

func TestAllocsOfClosures(t *testing.T) {
	p := retry.MustNew()
	sum := 0
	assert.Zero(t, allocs(func() {
		n := 1
		_ = p.Do(context.Background(), func(context.Context) error { sum += n; return nil })
	}), "the function does not escape")
	assert.Zero(t, allocs(func() {
		n := 1
		v, _ := retry.DoValue(context.Background(), func(context.Context) (int, error) { sum += n; return n, nil }, p)
		sum += v
	}))
}

func TestAllocsOfOptionsAtTheCall(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := retry.MustNew(retry.WithName("call"))
	listed := retry.MustNew(retry.WithRetryIf(retry.Transient))
	hooks := retry.Hooks{BeforeWait: func(context.Context, retry.Attempt) {}}
	open := func(context.Context, retry.Attempt) (func(error), error) { return nil, nil }
	accept := func(int, retry.Attempt) error { return nil }
	for name, run := range map[string]func(){
		"numbers": func() {
			_ = retry.Do(ctx, succeed, retry.WithMaxAttempts(3), retry.WithMaxElapsed(time.Minute), retry.WithMaxDelay(time.Second))
		},
		"backoff and jitter": func() {
			_ = retry.Do(ctx, succeed, retry.WithBackoff(retry.Exponential(time.Millisecond, 3)), retry.WithJitter(retry.EqualJitter))
		},
		"classifiers": func() {
			_ = retry.Do(ctx, succeed, retry.WithRetryIf(retry.Transient), retry.WithStopIf(retry.AlreadyRetried))
		},
		"a common call": func() {
			_ = retry.Do(ctx, succeed, retry.WithMaxAttempts(3), retry.WithBackoff(retry.Exponential(time.Second, 2)), retry.WithRetryIf(retry.Transient))
		},
		"over a policy": func() { _ = retry.Do(ctx, succeed, p, retry.WithMaxAttempts(3)) },
		"DoValue":       func() { _, _ = retry.DoValue(ctx, succeedValue, retry.WithMaxAttempts(3), retry.WithName("x")) },
		"all in one": func() {
			_ = retry.Do(ctx, succeed, p, retry.WithMaxAttempts(3), retry.WithName("x"), retry.WithBackoff(retry.Constant(time.Second)),
				retry.WithJitter(retry.SpreadJitter(0.2)), retry.WithRetryIf(retry.Transient), retry.WithHistorySize(3))
		},
		"a classifier of the call beside the policy's": func() { _ = retry.Do(ctx, succeed, listed, retry.WithRetryIf(retry.AlreadyRetried)) },
		"an error to retry":                            func() { _ = retry.Do(ctx, succeed, retry.WithRetryIf(retry.Is(errDown))) },
		"two hooks and two gates": func() {
			_ = retry.Do(ctx, succeed, retry.WithHooks(hooks), retry.WithHooks(hooks), retry.WithGate(open, open))
		},
		"a validator": func() { _, _ = retry.DoValue(ctx, succeedValue, retry.WithValidator(accept)) },
	} {
		assert.LessOrEqual(t, allocs(run), 1.0, name)
	}
}

func TestAllocsOfFailures(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	policy := func(opts ...retry.Option) *retry.Policy {
		return retry.MustNew(append(opts, retry.WithMaxAttempts(5))...)
	}
	recovering := func(p *retry.Policy, ctx context.Context) func() {
		return func() {
			n := 0
			_ = p.Do(ctx, func(context.Context) error {
				if n++; n <= 4 {
					return errDown
				}
				return nil
			})
		}
	}
	failing := func(p *retry.Policy, ctx context.Context) func() {
		return func() { _ = p.Do(ctx, failDown) }
	}
	dead, die := context.WithCancel(context.Background())
	die()
	noHistory := retry.WithHistorySize(0)
	const timer = 3 // a timer, its channel and its function
	for _, tt := range []struct {
		name string
		run  func()
		want float64
	}{
		{"retries at once, no history", recovering(policy(atOnce, noHistory), ctx), 0},
		{"retries at once, one history for the call", recovering(policy(atOnce), ctx), 1},
		{"retries with waits, context never ends", recovering(policy(every(1), noHistory), context.Background()), 0},
		{"retries with waits, one timer a call", recovering(policy(every(1), noHistory), ctx), timer},
		{"giving up: the error", failing(policy(atOnce, noHistory), ctx), 1},
		{"giving up: the error and its history", failing(policy(atOnce), ctx), 2},
		{"giving up after waits", failing(policy(every(1)), ctx), 2 + timer},
		{"giving up at once", failing(policy(retry.WithStopIf(yes)), ctx), 2},
		{"default backoff and classifiers", failing(policy(retry.WithMaxDelay(0), retry.WithRetryIf(retry.Is(errDown)), noHistory), ctx), 1},
		{"budget", failing(policy(atOnce, retry.WithBudget(retry.NewBudget(1, 5)), noHistory), ctx), 1},
		{"dead context", func() { _ = retry.Do(dead, succeed) }, 1},
	} {
		assert.LessOrEqual(t, allocs(tt.run), tt.want, tt.name)
	}
}

// A parked Run is smaller when its policy uses less. Its steps allocate nothing.
func TestAllocsOfRun(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, tt := range []struct {
		name string
		opts []retry.Option
		want float64
	}{
		{"no history", []retry.Option{retry.WithHistorySize(0)}, 1 + 0},
		{"a history and its buffer", nil, 1 + 2},
		{"Done hooks", []retry.Option{retry.WithHistorySize(0), retry.WithHooks(retry.Hooks{Done: func(context.Context, retry.Outcome) {}})}, 1 + 1},
	} {
		p := retry.MustNew(append(tt.opts, atOnce, retry.WithMaxAttempts(9))...)
		assert.LessOrEqual(t, allocs(func() {
			run := p.Start(ctx)
			for range 4 {
				run.Try(failDown)
			}
			run.Try(succeed)
		}), tt.want, tt.name)
	}
	p := retry.MustNew()
	assert.Zero(t, allocs(func() {
		var parked struct{ run retry.Run }
		parked.run = *p.Start(ctx)
		parked.run.Try(succeed)
	}), "a copy within another value")
	if unsafe.Sizeof(uintptr(0)) == 8 {
		assert.LessOrEqual(t, int(unsafe.Sizeof(retry.Run{})), 80)
	}
}

func TestMemoryOfHistory(t *testing.T) {
	const runs = 200
	bytes := func(p *retry.Policy) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			_ = p.Do(context.Background(), failDown)
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / runs
	}
	const attempt = uint64(unsafe.Sizeof(retry.Attempt{}))
	none := bytes(retry.MustNew(atOnce, retry.WithHistorySize(0)))
	for _, tt := range []struct {
		name string
		opts []retry.Option
		most uint64 // in attempts; includes one size class for rounding
	}{
		{"no more than the attempts left", []retry.Option{retry.WithMaxAttempts(2)}, 3},
		{"the first attempt is the last", []retry.Option{retry.WithStopIf(yes)}, 2},
		{"no more than the history size", []retry.Option{retry.WithHistorySize(2), retry.WithMaxAttempts(30)}, 3},
		{"grows in small steps", []retry.Option{retry.WithHistorySize(1e6), retry.WithMaxAttempts(1e6), retry.WithStopIf(func(a retry.Attempt) bool { return a.Number == 2 })}, 20},
	} {
		assert.LessOrEqual(t, bytes(retry.MustNew(append(tt.opts, atOnce)...)), none+tt.most*attempt, tt.name)
	}
}
