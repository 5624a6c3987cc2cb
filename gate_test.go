package retry_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// journal records what happens in order.
type journal []string

func (j *journal) notef(format string, args ...any) { *j = append(*j, fmt.Sprintf(format, args...)) }

// count is how many notes begin so.
func (j journal) count(prefix string) (n int) {
	for _, note := range j {
		if strings.HasPrefix(note, prefix) {
			n++
		}
	}
	return n
}

// gate notes when it is passed and released.
func (j *journal) gate(name string) retry.Gate {
	return func(_ context.Context, a retry.Attempt) (func(error), error) {
		j.notef("%s in %d", name, a.Number)
		return func(err error) { j.notef("%s out: %v", name, err) }, nil
	}
}

// refusing is a gate that refuses with err.
func refusing(err error) retry.Gate {
	return func(context.Context, retry.Attempt) (func(error), error) { return nil, err }
}

func TestGatesOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		opts func(j *journal) []retry.Option
	}{
		{"one option", func(j *journal) []retry.Option {
			return []retry.Option{retry.WithGate(j.gate("a"), j.gate("b"), j.gate("c"))}
		}},
		{"several options", func(j *journal) []retry.Option {
			return []retry.Option{retry.MustNew(retry.WithGate(j.gate("a")), retry.WithGate(j.gate("b"))), retry.WithGate(j.gate("c"))}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var j journal
				fn, _ := failing(1, errDown)
				require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
					j.notef("fn")
					return fn(ctx)
				}, append(tt.opts(&j), every(time.Second), retry.WithHooks(retry.Hooks{
					BeforeWait: func(context.Context, retry.Attempt) { j.notef("wait") },
				}))...))
				assert.Equal(t, journal{
					"a in 1", "b in 1", "c in 1", "fn", "c out: server down", "b out: server down", "a out: server down", "wait",
					"a in 2", "b in 2", "c in 2", "fn", "c out: <nil>", "b out: <nil>", "a out: <nil>",
				}, j)
			})
		})
	}
}

func TestReleaseIsRightAfterTheFunction(t *testing.T) {
	t.Parallel()
	var j journal
	_, err := retry.DoValue(context.Background(), func(context.Context) (int, error) { j.notef("fn"); return 1, nil },
		atOnce, retry.WithMaxAttempts(1), retry.WithGate(j.gate("a")),
		retry.WithValidator(func(int, retry.Attempt) error { j.notef("validator"); return errOdd }),
		retry.WithHooks(retry.Hooks{
			BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { j.notef("before"); return ctx },
			AfterAttempt:  func(context.Context, retry.Attempt) { j.notef("after") },
		}))
	require.ErrorIs(t, err, retry.ErrRejected)
	assert.Equal(t, journal{"a in 1", "before", "fn", "a out: <nil>", "validator", "after"}, j, "release hears the function's error")
}

func TestNilReleaseIsFine(t *testing.T) {
	t.Parallel()
	var j journal
	fn, calls := failing(1, errDown)
	require.NoError(t, retry.Do(context.Background(), fn, atOnce, retry.WithGate(j.gate("a"), refusing(nil), j.gate("b"))))
	assert.Equal(t, 2, *calls)
	assert.Len(t, j, 8)
}

func TestGatesGetTheCallersContextAndTheAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		type key struct{}
		ctx := context.WithValue(context.Background(), key{}, "caller's")
		other := func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, "hook's") }
		const s = time.Second
		start := time.Now()
		var saw []retry.Attempt
		fn, _ := failing(1, errDown)
		h := retry.NewHistory(2)
		require.NoError(t, retry.Do(ctx, func(got context.Context) error {
			assert.Equal(t, "hook's", got.Value(key{}))
			return fn(got)
		}, every(10*s), retry.WithName("call"), retry.WithHistory(h), retry.WithAttemptTimeout(time.Minute),
			retry.WithHooks(retry.Hooks{Start: other}),
			retry.WithGate(func(got context.Context, a retry.Attempt) (func(error), error) {
				assert.Equal(t, ctx, got)
				saw = append(saw, a)
				time.Sleep(s)
				return nil, nil
			})))
		assert.Equal(t, []retry.Attempt{
			{Name: "call", Number: 1, Start: start},
			{Name: "call", Number: 2, Start: start.Add(11 * s), Waited: 10 * s, Elapsed: 11 * s},
		}, saw)
		assert.Equal(t, []retry.Attempt{
			{Name: "call", Number: 1, Start: start.Add(s), Elapsed: s, Delay: 10 * s, Err: errDown},
			{Name: "call", Number: 2, Start: start.Add(12 * s), Waited: 10 * s, Elapsed: 12 * s},
		}, h.Slice(), "an attempt starts once its gates have let it in")
	})
}

func TestGateErrorIsTheAttemptsError(t *testing.T) {
	t.Parallel()
	type opts = []retry.Option
	for _, tt := range []struct {
		name     string
		err      error
		opts     opts
		attempts int
		reason   error
	}{
		{"retried", errDown, nil, 3, retry.ErrExhausted},
		{"permanent", retry.Permanent(errDown), nil, 1, retry.ErrPermanent},
		{"classified", errDown, opts{retry.WithStopIf(retry.Is(errDown))}, 1, retry.ErrPermanent},
		{"hint", retry.After(time.Hour, errDown), nil, 1, retry.ErrRetryAfter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			err := retry.Do(context.Background(), func(context.Context) error { t.Error("called"); return nil },
				append(opts{
					atOnce, retry.WithMaxAttempts(3), retry.WithGate(j.gate("a"), j.gate("b"), refusing(tt.err), j.gate("c")),
					retry.WithHooks(retry.Hooks{
						BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { j.notef("before"); return ctx },
						AfterAttempt:  func(_ context.Context, a retry.Attempt) { j.notef("after: %v", a.Err) },
					}),
				}, tt.opts...)...)
			e := stopped(t, err)
			assert.Equal(t, tt.attempts, e.Attempts)
			assert.Equal(t, tt.reason, e.Reason)
			assert.Equal(t, bare(tt.err), e.Err)
			assert.Len(t, e.History(), tt.attempts)
			var want journal
			for n := 1; n <= tt.attempts; n++ {
				want = append(want, fmt.Sprint("a in ", n), fmt.Sprint("b in ", n),
					"b out: server down", "a out: server down", "after: server down")
			}
			assert.Equal(t, want, j, "earlier gates hear the later one's error")
		})
	}
}

func TestContextEndsInAGate(t *testing.T) {
	t.Parallel()
	cause := errors.New("shutting down")
	for _, tt := range []struct {
		name  string
		after int // attempts made before
		gate  func(ctx context.Context) error
	}{
		{"first attempt, gate reports", 0, context.Cause},
		{"first attempt, gate does not", 0, func(context.Context) error { return nil }},
		{"a retry, gate reports", 2, func(ctx context.Context) error { return ctx.Err() }},
		{"a retry, gate does not", 2, func(context.Context) error { return nil }},
		{"a retry, gate says something else", 2, func(context.Context) error { return retry.Permanent(errOdd) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(context.Background())
			var j journal
			var done outcomes
			h := retry.NewHistory(9)
			fn, calls := failing(9, errDown)
			err := retry.Do(ctx, fn, atOnce, done.hook(), retry.WithHistory(h), retry.WithGate(
				j.gate("a"), func(ctx context.Context, a retry.Attempt) (func(error), error) {
					if a.Number <= tt.after {
						return nil, nil
					}
					cancel(cause)
					err := tt.gate(ctx)
					if err != nil {
						return nil, err
					}
					return func(err error) { j.notef("b out: %v", err) }, nil
				}), retry.WithHooks(retry.Hooks{AfterAttempt: func(context.Context, retry.Attempt) { j.notef("after") }}))
			e := stopped(t, err)
			assert.Equal(t, tt.after, *calls)
			assert.Equal(t, tt.after, e.Attempts, "there was no attempt")
			assert.Equal(t, tt.after, done.one(t).Attempts)
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Equal(t, tt.after, h.Len())
			assert.Len(t, e.History(), tt.after)
			for _, target := range []error{retry.ErrContext, context.Canceled, cause} {
				assert.ErrorIs(t, err, target)
			}
			if tt.after > 0 {
				assert.Equal(t, errDown, e.Err, "the earlier error stays")
			} else {
				assert.NoError(t, e.Err)
			}
			assert.NotErrorIs(t, err, errOdd)
			assert.Equal(t, tt.after+1, j.count("a in"))
			assert.Equal(t, tt.after+1, j.count("a out"))
			assert.Equal(t, tt.after, j.count("after"))
		})
	}
}

func TestContextEndsInABlockingGate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		e := stopped(t, retry.Do(ctx, always(nil), retry.WithGate(func(ctx context.Context, _ retry.Attempt) (func(error), error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})))
		assert.Equal(t, time.Minute, time.Since(start))
		assert.Zero(t, e.Attempts)
		assert.Equal(t, time.Minute, e.Elapsed)
		assert.ErrorIs(t, e, context.DeadlineExceeded)
		assert.True(t, e.Timeout())
	})
}

// limiter is a rate limiter that refuses, with an error without a type, a wait that would
// not end before the context's deadline.
type limiter struct {
	waits []time.Duration
	asked int
}

var errLimiter = errors.New("limiter: would exceed context deadline")

func (l *limiter) Wait(ctx context.Context) error {
	wait := l.waits[min(l.asked, len(l.waits)-1)]
	l.asked++
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return errLimiter
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// brokenLimiter refuses always.
type brokenLimiter struct{}

func (brokenLimiter) Wait(context.Context) error { return errLimiter }

func TestRateLimit(t *testing.T) {
	t.Parallel()
	const s = time.Second
	type gates func(l *limiter) retry.Gate
	plain := func(l *limiter) retry.Gate { return retry.RateLimit(l) }
	for _, tt := range []struct {
		name     string
		gate     gates
		waits    []time.Duration
		deadline time.Duration
		attempts int
		elapsed  time.Duration
		asked    int
		err      error
	}{
		{"waits for every attempt", plain, []time.Duration{s, 2 * s, 3 * s}, 0, 3, 6 * s, 3, errDown},
		{"refuses the first", plain, []time.Duration{time.Hour}, time.Minute, 0, 0, 1, nil},
		{"refuses a retry", plain, []time.Duration{s, time.Hour}, time.Minute, 1, s, 2, errDown},
		{"refuses a retry, only retries ask", func(l *limiter) retry.Gate { return retry.OnlyRetries(plain(l)) }, []time.Duration{time.Hour}, time.Minute, 1, 0, 1, errDown},
		{"refuses the first, only it asks", func(l *limiter) retry.Gate { return retry.OnlyFirst(plain(l)) }, []time.Duration{time.Hour}, time.Minute, 0, 0, 1, nil},
		{"wrapped by the user's gate", func(l *limiter) retry.Gate {
			return func(ctx context.Context, a retry.Attempt) (func(error), error) {
				release, err := plain(l)(ctx, a)
				if err != nil {
					err = fmt.Errorf("limit: %w", err)
				}
				return release, err
			}
		}, []time.Duration{time.Hour}, time.Minute, 0, 0, 1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx := context.Background()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				var j journal
				var done outcomes
				l := &limiter{waits: tt.waits}
				start := time.Now()
				e := stopped(t, retry.Do(ctx, always(errDown), atOnce, retry.WithMaxAttempts(3),
					retry.WithGate(j.gate("a"), tt.gate(l)), done.hook()))
				assert.Equal(t, tt.elapsed, time.Since(start))
				assert.Equal(t, tt.attempts, e.Attempts)
				assert.Equal(t, tt.attempts, done.one(t).Attempts)
				assert.Equal(t, tt.asked, l.asked)
				assert.Equal(t, bare(tt.err), e.Err)
				refused := tt.deadline > 0
				if !refused {
					assert.Equal(t, retry.ErrExhausted, e.Reason)
				} else {
					assert.Equal(t, retry.ErrContext, e.Reason)
				}
				assert.Equal(t, refused, errors.Is(e, context.DeadlineExceeded))
				assert.Equal(t, refused, errors.Is(e, errLimiter), "what the limiter said is kept")
				assert.Equal(t, refused, e.Timeout())
				assert.Equal(t, j.count("a in"), j.count("a out"), "what was passed is released")
			})
		})
	}
	t.Run("a refusal without a deadline is the attempt's error", func(t *testing.T) {
		t.Parallel()
		e := stopped(t, retry.Do(context.Background(), always(nil), atOnce, retry.WithMaxAttempts(2), retry.WithGate(retry.RateLimit(brokenLimiter{}))))
		assert.Equal(t, retry.ErrExhausted, e.Reason)
		assert.Equal(t, 2, e.Attempts)
		assert.Equal(t, errLimiter, e.Err)
	})
	t.Run("text", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			err := retry.Do(ctx, always(nil), retry.WithGate(retry.RateLimit(brokenLimiter{})))
			assert.EqualError(t, err, "retry: wait at a gate would pass the deadline (limiter: would exceed context deadline) after 0 attempts in 0s")
		})
	})
	t.Run("the context ends in the limiter", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Second, cancel)
			e := stopped(t, retry.Do(ctx, always(nil), retry.WithGate(retry.RateLimit(&limiter{waits: []time.Duration{time.Hour}}))))
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Zero(t, e.Attempts)
			assert.ErrorIs(t, e, context.Canceled)
			assert.Equal(t, time.Second, e.Elapsed)
		})
	})
}

// semaphore counts; a full one blocks until the context ends.
type semaphore struct{ free int64 }

func (s *semaphore) Acquire(ctx context.Context, n int64) error {
	if n > s.free {
		<-ctx.Done()
		return ctx.Err()
	}
	s.free -= n
	return nil
}

func (s *semaphore) Release(n int64) { s.free += n }

func TestBulkhead(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 1, 3} {
		s := &semaphore{free: 3}
		fn, _ := failing(2, errDown)
		require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
			assert.Equal(t, 3-n, s.free)
			return fn(ctx)
		}, atOnce, retry.WithGate(retry.Bulkhead(s, n)), retry.WithHooks(retry.Hooks{
			BeforeWait: func(context.Context, retry.Attempt) {
				assert.Equal(t, int64(3), s.free, "nothing is held while waiting")
			},
		})))
		assert.Equal(t, int64(3), s.free)
	}
	t.Run("full", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			s := &semaphore{free: 1}
			e := stopped(t, retry.Do(ctx, always(nil), retry.WithGate(retry.Bulkhead(s, 2))))
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Zero(t, e.Attempts)
			assert.Equal(t, int64(1), s.free)
		})
	})
	t.Run("a negative weight fails for good", func(t *testing.T) {
		t.Parallel()
		s := &semaphore{free: 3}
		err := retry.Do(context.Background(), always(nil), retry.WithGate(retry.Bulkhead(s, -1)))
		e := stopped(t, err)
		assert.Equal(t, retry.ErrPermanent, e.Reason)
		assert.Equal(t, 1, e.Attempts)
		assert.EqualError(t, e.Err, "retry: Bulkhead: weight -1 is negative")
		assert.ErrorIs(t, err, retry.ErrOption)
		assert.Equal(t, int64(3), s.free)
	})
}

func TestOnlyFirstAndOnlyRetries(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		only func(retry.Gate) retry.Gate
		want journal
	}{
		"first":   {retry.OnlyFirst, journal{"a in 1", "a out: server down"}},
		"retries": {retry.OnlyRetries, journal{"a in 2", "a out: server down", "a in 3", "a out: server down"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var j journal
			require.Error(t, retry.Do(context.Background(), always(errDown), atOnce, retry.WithMaxAttempts(3),
				retry.WithGate(tt.only(j.gate("a")))))
			assert.Equal(t, tt.want, j)
			refused := stopped(t, retry.Do(context.Background(), always(errDown), atOnce, retry.WithMaxAttempts(3),
				retry.WithGate(tt.only(refusing(retry.Permanent(errOdd))))))
			assert.Equal(t, retry.ErrPermanent, refused.Reason)
			assert.ErrorIs(t, refused, errOdd)
		})
	}
}

func TestNilGatesAreFaults(t *testing.T) {
	t.Parallel()
	for name, gate := range map[string]retry.Gate{
		"Gate":        nil,
		"RateLimit":   retry.RateLimit(nil),
		"Bulkhead":    retry.Bulkhead(nil, 1),
		"OnlyFirst":   retry.OnlyFirst(nil),
		"OnlyRetries": retry.OnlyRetries(retry.RateLimit(nil)),
	} {
		err := retry.Do(context.Background(), always(nil), retry.WithGate(gate))
		require.ErrorIs(t, err, retry.ErrOption, name)
		assert.EqualError(t, err, "retry: WithGate: nil Gate", name)
	}
}

// stage is a call with every callback in it, one of which may blow up: it panics with boom,
// or ends the goroutine if boom is nil. The first value is rejected, the second attempt
// fails, the third value is fine.
type stage struct {
	journal
	blowAt string
	boom   any
	ctx    context.Context // of the newest attempt
}

func (s *stage) at(name string) {
	s.notef("%s", name)
	if name != s.blowAt {
		return
	}
	if s.boom == nil {
		runtime.Goexit()
	}
	panic(s.boom)
}

func (s *stage) gate(name string) retry.Gate {
	return func(context.Context, retry.Attempt) (func(error), error) {
		s.at("pass " + name)
		return func(err error) { s.at("release " + name) }, nil
	}
}

func (s *stage) run() {
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

// blow runs the call and returns what it panicked with.
func (s *stage) blow() (recovered any) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer func() { recovered = recover() }()
		s.run()
	}()
	<-over
	return recovered
}

func TestPanicAndGoexit(t *testing.T) {
	t.Parallel()
	calm := new(stage)
	require.Nil(t, calm.blow())
	require.Equal(t, journal{
		"start", "pass a", "pass b", "pass c", "before", "fn", "release c", "release b", "release a",
		"validator", "after", "stop", "backoff", "rand", "wait",
		"pass a", "pass b", "pass c", "before", "fn", "release c", "release b", "release a",
		"after", "stop", "retry", "backoff", "rand", "wait",
		"pass a", "pass b", "pass c", "before", "fn", "release c", "release b", "release a",
		"validator", "after", "done", "returned",
	}, calm.journal)
	stillReleased := map[string]journal{ // after the blow
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
				s := &stage{blowAt: at, boom: boom}
				if got := s.blow(); boom == nil {
					assert.Nil(t, got)
				} else {
					assert.Same(t, boom, got, "the value goes on untouched")
				}
				upTo := slices.Index(calm.journal, at) + 1
				require.Positive(t, upTo)
				assert.Equal(t, append(slices.Clone(calm.journal[:upTo]), stillReleased[at]...), s.journal)
				if s.ctx != nil {
					assert.Error(t, s.ctx.Err(), "the attempt's context has ended")
				}
			})
		}
	}
}

func TestReleaseHearsOfAPanic(t *testing.T) {
	t.Parallel()
	for how, boom := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		for _, where := range []string{"fn", "gate"} {
			t.Run(where+"/"+how, func(t *testing.T) {
				t.Parallel()
				var heard []error
				listen := func(context.Context, retry.Attempt) (func(error), error) {
					return func(err error) { heard = append(heard, err) }, nil
				}
				gates := []retry.Gate{listen, listen}
				fn := func(context.Context) error { boom(); return nil }
				if where == "gate" {
					gates = append(gates, func(context.Context, retry.Attempt) (func(error), error) { boom(); return nil, nil })
					fn = always(nil)
				}
				over := make(chan struct{})
				go func() {
					defer close(over)
					defer func() { _ = recover() }()
					_ = retry.Do(context.Background(), fn, retry.WithGate(gates...))
				}()
				<-over
				require.Len(t, heard, 2)
				assert.Error(t, heard[0], "some error, so that a breaker counts a failure")
				assert.Error(t, heard[1])
			})
		}
	}
}
