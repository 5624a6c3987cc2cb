package retrytest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

func TestFail(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		n    int
		want []error
	}{
		"twice":    {2, []error{errDown, errDown, nil, nil, nil}},
		"once":     {1, []error{errDown, nil, nil}},
		"never":    {0, []error{nil, nil}},
		"negative": {-1, []error{nil, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn := retrytest.Fail(row.n, errDown)
			for i, want := range row.want {
				assert.Equal(t, want, fn(t.Context()), "call %d", i+1)
			}
		})
	}
	assert.PanicsWithValue(t, "retrytest: Fail: nil error", func() { retrytest.Fail(1, nil) })
}

func TestFailValue(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		n    int
		want []error
	}{
		"twice":    {2, []error{errDown, errDown, nil, nil, nil}},
		"never":    {0, []error{nil, nil}},
		"negative": {-1, []error{nil, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn := retrytest.FailValue(row.n, errDown, 42)
			for i, want := range row.want {
				v, err := fn(t.Context())
				assert.Equal(t, want, err, "call %d", i+1)
				if want == nil {
					assert.Equal(t, 42, v, "call %d", i+1)
				} else {
					assert.Zero(t, v, "call %d", i+1)
				}
			}
		})
	}
	assert.PanicsWithValue(t, "retrytest: FailValue: nil error", func() { retrytest.FailValue(1, nil, 42) })
}

func TestScript(t *testing.T) {
	t.Parallel()
	errA, errB := errors.New("a"), errors.New("b")
	for name, results := range map[string][]error{
		"several":       {errA, nil, errB, errA},
		"one":           {nil},
		"none":          {},
		"ends in error": {nil, errB},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := append([]error(nil), results...)
			fn := retrytest.Script(given...)
			clear(given) // the script has a copy
			for i, want := range results {
				assert.Equal(t, want, fn(t.Context()), "call %d", i+1)
			}
			for i := 1; i <= 2; i++ {
				err := fn(t.Context())
				require.Error(t, err, "past the end")
				assert.EqualError(t, err, fmt.Sprintf("retrytest: call %d of a script with %d results", len(results)+i, len(results)))
			}
		})
	}
}

func TestScriptValue(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	results := []func() (string, error){
		retrytest.Returns("partial", errDown),
		func() (string, error) { clk.Advance(time.Second); return "slow", nil },
		retrytest.Returns("ready", nil),
	}
	fn := retrytest.ScriptValue(results...)
	clear(results)
	for i, want := range []struct {
		value string
		err   error
		at    time.Duration
	}{{"partial", errDown, 0}, {"slow", nil, time.Second}, {"ready", nil, time.Second}} {
		v, err := fn(t.Context())
		assert.Equal(t, want.value, v, "call %d", i+1)
		assert.Equal(t, want.err, err, "call %d", i+1)
		assert.Equal(t, start.Add(want.at), clk.Now(), "call %d", i+1)
	}
	v, err := fn(t.Context())
	assert.Zero(t, v)
	assert.EqualError(t, err, "retrytest: call 4 of a script with 3 results")
}

// TestPastTheEndStops checks that a script that is too short ends the call that retries, even
// without a limit.
func TestPastTheEndStops(t *testing.T) {
	t.Parallel()
	for name, fn := range map[string]func(context.Context) error{
		"Script": retrytest.Script(errDown, errDown),
		"ScriptValue": func() func(context.Context) error {
			fn := retrytest.ScriptValue(retrytest.Returns(1, errDown), retrytest.Returns(2, errDown))
			return func(ctx context.Context) error { _, err := fn(ctx); return err }
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clk retrytest.Clock
			var calls atomic.Int64
			err := retry.Do(t.Context(), retrytest.Count(&calls, fn), retry.WithClock(&clk),
				retry.WithMaxAttempts(retry.Unlimited), retry.WithJitter(retry.NoJitter))
			assert.EqualError(t, err,
				"retry: permanent error after 3 attempts in 300ms: retrytest: call 3 of a script with 2 results")
			assert.EqualValues(t, 3, calls.Load())
		})
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	fn := retrytest.Count(&calls, func(ctx context.Context) error {
		assert.EqualValues(t, 1, calls.Load(), "counted before the call")
		assert.Equal(t, "value", ctx.Value(contextKey{}))
		return errDown
	})
	assert.Zero(t, calls.Load())
	assert.Equal(t, errDown, fn(context.WithValue(t.Context(), contextKey{}, "value")))
	assert.EqualValues(t, 1, calls.Load())
}

func TestScriptsAreConcurrent(t *testing.T) {
	t.Parallel()
	const goroutines, each = 8, 50
	script := make([]error, goroutines*each)
	values := make([]func() (int, error), goroutines*each)
	for i := range script {
		script[i] = fmt.Errorf("result %d", i)
		values[i] = retrytest.Returns(0, script[i])
	}
	for name, fn := range map[string]func(context.Context) error{
		"Fail":   retrytest.Fail(goroutines*each, errDown),
		"Script": retrytest.Script(script...),
		"ScriptValue": func() func(context.Context) error {
			fn := retrytest.ScriptValue(values...)
			return func(ctx context.Context) error { _, err := fn(ctx); return err }
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls, failures atomic.Int64
			var seen sync.Map
			fn := retrytest.Count(&calls, fn)
			var wg sync.WaitGroup
			for range goroutines {
				wg.Go(func() {
					for range each {
						if err := fn(t.Context()); err != nil {
							failures.Add(1)
							seen.Store(err, true)
						}
					}
				})
			}
			wg.Wait()
			assert.EqualValues(t, goroutines*each, calls.Load())
			assert.EqualValues(t, goroutines*each, failures.Load())
			distinct := 0
			seen.Range(func(any, any) bool { distinct++; return true })
			if name == "Fail" {
				assert.Equal(t, 1, distinct)
				assert.NoError(t, fn(t.Context()))
			} else {
				assert.Equal(t, goroutines*each, distinct, "every result once")
			}
		})
	}
}
