package retry_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// callbacks is a call with every callback. One of them panics with value, or ends the goroutine
// if value is nil. Without that, the first value is rejected, the second attempt fails, and the
// third value is accepted.
type callbacks struct {
	journal
	failAt string
	value  any
	ctx    context.Context // of the newest attempt
}

func (s *callbacks) at(name string) {
	s.notef("%s", name)
	if name != s.failAt {
		return
	}
	if s.value == nil {
		runtime.Goexit()
	}
	panic(s.value)
}

func (s *callbacks) gate(name string) retry.Gate {
	return func(context.Context, retry.Attempt) (func(error), error) {
		s.at("pass " + name)
		return func(err error) { s.at("release " + name) }, nil
	}
}

func (s *callbacks) run() {
	n := 0
	_, _ = retry.DoValue(context.Background(), func(ctx context.Context) (int, error) {
		s.ctx = ctx
		s.at("fn")
		if n++; n == 2 {
			return n, errDown
		}
		return n, nil
	},
		retry.WithAttemptTimeout(time.Hour), retry.WithGate(s.gate("a"), s.gate("b"), s.gate("c")),
		retry.WithJitter(retry.FullJitter), retry.WithRand(func() float64 { s.at("rand"); return 0 }),
		retry.WithBackoff(retry.BackoffFunc(func(retry.Attempt) time.Duration { s.at("backoff"); return 1 })),
		retry.WithStopIf(func(retry.Attempt) bool { s.at("stop"); return false }),
		retry.WithRetryIf(func(retry.Attempt) bool { s.at("retry"); return true }),
		retry.WithValidator(func(v int, _ retry.Attempt) error {
			s.at("validator")
			if v == 1 {
				return errOdd
			}
			return nil
		}),
		retry.WithHooks(retry.Hooks{
			Start:         func(ctx context.Context) context.Context { s.at("start"); return ctx },
			BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { s.at("before"); return ctx },
			AfterAttempt:  func(context.Context, retry.Attempt) { s.at("after") },
			BeforeWait:    func(context.Context, retry.Attempt) { s.at("wait") },
			Done:          func(context.Context, retry.Outcome) { s.at("done") },
		}))
	s.notef("returned")
}

// runAndRecover runs the call and returns the value of its panic.
func (s *callbacks) runAndRecover() (recovered any) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer func() { recovered = recover() }()
		s.run()
	}()
	<-over
	return recovered
}

func TestPanicAndGoexitInCallbacks(t *testing.T) {
	t.Parallel()
	undisturbed := new(callbacks)
	require.Nil(t, undisturbed.runAndRecover())
	require.Equal(t, journal{
		"start", "pass a", "pass b", "pass c", "before", "fn", "release c", "release b", "release a",
		"validator", "after", "stop", "backoff", "rand", "wait",
		"pass a", "pass b", "pass c", "before", "fn", "release c", "release b", "release a",
		"after", "stop", "retry", "backoff", "rand", "wait",
		"pass a", "pass b", "pass c", "before", "fn", "release c", "release b", "release a",
		"validator", "after", "done", "returned",
	}, undisturbed.journal)
	stillReleased := map[string]journal{ // released after the panic
		"pass b":    {"release a"},
		"pass c":    {"release b", "release a"},
		"before":    {"release c", "release b", "release a"},
		"fn":        {"release c", "release b", "release a"},
		"release c": {"release b", "release a"},
		"release b": {"release a"},
	}
	for _, at := range []string{
		"start", "pass a", "pass b", "pass c", "before", "fn", "release c", "release b", "release a",
		"validator", "after", "stop", "retry", "backoff", "rand", "wait", "done",
	} {
		for how, boom := range map[string]any{"panic": new(int), "Goexit": nil} {
			t.Run(at+"/"+how, func(t *testing.T) {
				t.Parallel()
				s := &callbacks{failAt: at, value: boom}
				if got := s.runAndRecover(); boom == nil {
					assert.Nil(t, got)
				} else {
					assert.Same(t, boom, got, "the panic value is unchanged")
				}
				upTo := slices.Index(undisturbed.journal, at) + 1
				require.Positive(t, upTo)
				assert.Equal(t, append(slices.Clone(undisturbed.journal[:upTo]), stillReleased[at]...), s.journal)
				if s.ctx != nil {
					assert.Error(t, s.ctx.Err(), "the attempt's context has ended")
				}
			})
		}
	}
}

func TestReleaseGetsErrorOnPanic(t *testing.T) {
	t.Parallel()
	for how, boom := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		for _, where := range []string{"fn", "gate"} {
			t.Run(where+"/"+how, func(t *testing.T) {
				t.Parallel()
				var got []error
				listen := func(context.Context, retry.Attempt) (func(error), error) {
					return func(err error) { got = append(got, err) }, nil
				}
				gates := []retry.Gate{listen, listen}
				fn := func(context.Context) error { boom(); return nil }
				if where == "gate" {
					gates = append(gates, func(context.Context, retry.Attempt) (func(error), error) { boom(); return nil, nil })
					fn = alwaysReturn(nil)
				}
				over := make(chan struct{})
				go func() {
					defer close(over)
					defer func() { _ = recover() }()
					_ = retry.Do(context.Background(), fn, retry.WithGate(gates...))
				}()
				<-over
				require.Len(t, got, 2)
				assert.Error(t, got[0], "an error, so a circuit breaker counts a failure")
				assert.Error(t, got[1])
			})
		}
	}
}
