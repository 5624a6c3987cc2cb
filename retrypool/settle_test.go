package retrypool_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	type key struct{}
	for name, tt := range map[string]struct {
		letter func(ctx context.Context, in int, err *retry.Error) error
		want   retrypool.Stats
		text   string
		more   error
	}{
		"none": {nil, retrypool.Stats{Submitted: 1, Failed: 1, Retries: 1}, "retry: attempts exhausted after 2 attempts in 1s: down", nil},
		"takes it": {
			func(ctx context.Context, in int, err *retry.Error) error {
				if in != 7 || err.Attempts != 2 || ctx.Value(key{}) != "v" || ctx.Err() != nil {
					return errors.New("wrong arguments")
				}
				return nil
			},
			retrypool.Stats{Submitted: 1, DeadLettered: 1, Retries: 1},
			"retry: attempts exhausted after 2 attempts in 1s: down", nil,
		},
		"fails": {
			func(context.Context, int, *retry.Error) error { return errDead },
			retrypool.Stats{Submitted: 1, Failed: 1, Retries: 1},
			"retry: attempts exhausted after 2 attempts in 1s: down; retrypool: dead letter: no dead letters today", errDead,
		},
		"panics": {
			func(context.Context, int, *retry.Error) error { panic(errDead) },
			retrypool.Stats{Submitted: 1, Failed: 1, Retries: 1},
			"retry: attempts exhausted after 2 attempts in 1s: down; retrypool: dead letter: retrypool: panic: no dead letters today", errDead,
		},
		"ends its goroutine": {
			func(context.Context, int, *retry.Error) error { runtime.Goexit(); return nil },
			retrypool.Stats{Submitted: 1, Failed: 1, Retries: 1},
			"retry: attempts exhausted after 2 attempts in 1s: down; retrypool: dead letter: retrypool: panic: the goroutine was ended by runtime.Goexit", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				p := start(t, down, retrypool.Config[int]{Policy: every(time.Second, 2), DeadLetter: tt.letter})
				task, err := p.Submit(context.WithValue(t.Context(), key{}, "v"), 7)
				require.NoError(t, err)
				_, err = task.Wait(t.Context())
				require.EqualError(t, err, tt.text)
				require.ErrorIs(t, err, errDown)
				require.ErrorIs(t, err, retry.ErrExhausted)
				if tt.more != nil {
					require.ErrorIs(t, err, tt.more)
				}
				assert.Equal(t, 2, stopped(t, err).Attempts)
				assert.Equal(t, tt.want, p.Stats())
			})
		})
	}
}

// DeadLetter has the time it needs, and the item counts as running meanwhile.
func TestDeadLetterOutlivesTheContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		p := start(t, untilEnded, retrypool.Config[int]{
			DeadLetter: func(ctx context.Context, _ int, _ *retry.Error) error {
				_, bounded := ctx.Deadline()
				assert.False(t, bounded)
				time.Sleep(time.Hour)
				return ctx.Err()
			},
		})
		task, err := p.Submit(ctx, 1)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		assert.Equal(t, retrypool.Stats{Submitted: 1, Running: 1}, p.Stats())
		_, err = task.Wait(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, retrypool.Stats{Submitted: 1, DeadLettered: 1}, p.Stats())
	})
}

func TestPanicIsTheItemsError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var done atomic.Int64
		policy := every(time.Hour, 5, retry.WithHooks(retry.Hooks{Done: func(_ context.Context, o retry.Outcome) {
			assert.Equal(t, retry.ErrPermanent, o.Err.Reason)
			done.Add(1)
		}}))
		p := start(t, func(_ context.Context, in int) (int, error) {
			if in == 0 {
				panic(errDown)
			}
			explode()
			return 1, nil
		}, retrypool.Config[int]{Policy: policy})
		_, err := submit(t, p, 0).Wait(t.Context())
		require.EqualError(t, err, "retry: permanent error after 1 attempt in 0s: retrypool: panic: down")
		require.ErrorIs(t, err, errDown, "what it panicked with is an error")

		v, err := submit(t, p, 1).Wait(t.Context())
		var panicked *retrypool.PanicError
		require.ErrorAs(t, err, &panicked)
		assert.Zero(t, v)
		assert.Equal(t, "boom", panicked.Value)
		assert.Contains(t, string(panicked.Stack), "explode", "the stack of the panic")
		assert.Equal(t, retry.ErrPermanent, stopped(t, err).Reason, "it is not retried")
		assert.Equal(t, retrypool.Stats{Submitted: 2, Failed: 2}, p.Stats())
		assert.EqualValues(t, 2, done.Load(), "Done hooks run")
	})
}

func explode() { panic("boom") }

// What panics or ends its goroutine, wherever it is called, ends the item and not the pool.
func TestPanicAndGoexitAnywhere(t *testing.T) {
	t.Parallel()
	hook := func(where string, blow func(string)) retry.Hooks {
		h := retry.Hooks{
			Start:         func(ctx context.Context) context.Context { blow("Start"); return ctx },
			BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { blow("BeforeAttempt"); return ctx },
			AfterAttempt:  func(context.Context, retry.Attempt) { blow("AfterAttempt") },
			BeforeWait:    func(context.Context, retry.Attempt) { blow("BeforeWait") },
			Done:          func(context.Context, retry.Outcome) { blow("Done") },
		}
		return h
	}
	for _, where := range []string{"fn", "Start", "BeforeAttempt", "AfterAttempt", "BeforeWait", "Done", "gate", "validator", "backoff"} {
		for _, how := range []string{"panic", "Goexit"} {
			t.Run(where+", "+how, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					armed := true
					blow := func(at string) {
						if armed && at == where {
							armed = false
							if how == "panic" {
								panic("boom")
							}
							runtime.Goexit()
						}
					}
					policy := retry.MustNew(
						retry.WithMaxAttempts(2),
						retry.WithHooks(hook(where, blow)),
						retry.WithBackoff(retry.BackoffFunc(func(retry.Attempt) time.Duration { blow("backoff"); return time.Second })),
						retry.WithValidator(func(int, retry.Attempt) error { blow("validator"); return errDown }),
						retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { blow("gate"); return nil, nil }))
					p := start(t, func(_ context.Context, in int) (int, error) { blow("fn"); return in, nil },
						retrypool.Config[int]{Policy: policy})
					_, err := submit(t, p, 1).Wait(t.Context())
					var panicked *retrypool.PanicError
					require.ErrorAs(t, err, &panicked)
					assert.NotEmpty(t, panicked.Stack)
					assert.Equal(t, retry.ErrPermanent, stopped(t, err).Reason)
					want := "boom"
					if how == "Goexit" {
						want = "the goroutine was ended by runtime.Goexit"
					}
					require.ErrorContains(t, err, want)

					_, err = submit(t, p, 2).Wait(t.Context()) // the worker is there again
					assert.Equal(t, retry.ErrExhausted, stopped(t, err).Reason)
				})
			})
		}
	}
}

// Also where somebody else than a worker ends the item, and in the events.
func TestGoexitInCallbacks(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"Started", "Parked", "Succeeded", "Failed", "Canceled"} {
		t.Run(where, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				blow := func(at string) func(retrypool.Event[int]) {
					return func(retrypool.Event[int]) {
						if at == where {
							runtime.Goexit()
						}
					}
				}
				c := retrypool.Config[int]{Policy: every(time.Hour, 2), Events: retrypool.Events[int]{
					Started: blow("Started"), Parked: blow("Parked"),
					Succeeded: blow("Succeeded"), Failed: blow("Failed"), Canceled: blow("Canceled"),
				}}
				p := start(t, func(_ context.Context, in int) (int, error) {
					if in == 0 {
						return 0, nil
					}
					return 0, errDown
				}, c)
				var wg sync.WaitGroup
				for i := range 6 {
					task := submit(t, p, i%3)
					if i%3 == 2 {
						wg.Go(func() { // Goexit ends the goroutine that cancels
							time.Sleep(time.Second)
							task.Cancel()
						})
					}
				}
				require.NoError(t, p.Join(t.Context()))
				wg.Wait()
				s := p.Stats()
				addsUp(t, s)
				assert.Equal(t, 6, s.Succeeded+s.Failed+s.Canceled)
			})
		})
	}
}

// Everything that a policy has works as in DoValue.
func TestPolicyWorksAsInDoValue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		type counts struct{ start, before, after, wait, done, gates int }
		run := func(call func(policy *retry.Policy, fn func(context.Context, int) (int, error)) error) (counts, []retry.Attempt, string) {
			var n counts
			h := retry.NewHistory(20)
			held := 0
			policy := retry.MustNew(
				retry.WithName("job"), retry.WithMaxAttempts(6), retry.WithBackoff(retry.Linear(time.Second, time.Second)),
				retry.WithJitter(retry.NoJitter), retry.WithHistory(h), retry.WithAttemptTimeout(time.Minute),
				retry.WithBudget(retry.NewBudget(1, 4)),
				retry.WithValidator(func(v int, _ retry.Attempt) error {
					if v == 3 {
						return errors.New("three")
					}
					return nil
				}),
				retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) {
					n.gates++
					held++
					assert.Equal(t, 1, held, "permits are free while parked")
					return func(error) { held-- }, nil
				}),
				retry.WithHooks(retry.Hooks{
					Start:         func(ctx context.Context) context.Context { n.start++; return ctx },
					BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { n.before++; return ctx },
					AfterAttempt:  func(context.Context, retry.Attempt) { n.after++ },
					BeforeWait:    func(context.Context, retry.Attempt) { n.wait++ },
					Done:          func(_ context.Context, o retry.Outcome) { n.done++; assert.Equal(t, 5, o.Attempts) },
				}))
			calls := 0
			err := call(policy, func(ctx context.Context, in int) (int, error) {
				switch calls++; calls {
				case 1:
					<-ctx.Done() // its own timeout
					return 0, context.Cause(ctx)
				case 3:
					return 3, nil // rejected
				}
				return in, errDown
			})
			text := "nil"
			if err != nil {
				text = err.Error()
			}
			var list []retry.Attempt
			for _, a := range h.Slice() {
				a.Start = time.Time{}
				if a.Err != nil {
					a.Err = errors.New(a.Err.Error())
				}
				list = append(list, a)
			}
			return n, list, text
		}
		n1, list1, text1 := run(func(policy *retry.Policy, fn func(context.Context, int) (int, error)) error {
			_, err := retry.DoValue(t.Context(), func(ctx context.Context) (int, error) { return fn(ctx, 7) }, policy)
			return err
		})
		n2, list2, text2 := run(func(policy *retry.Policy, fn func(context.Context, int) (int, error)) error {
			p := start(t, fn, retrypool.Config[int]{Policy: policy})
			_, err := submit(t, p, 7).Wait(t.Context())
			return err
		})
		assert.Equal(t, n1, n2)
		assert.Equal(t, counts{start: 1, before: 5, after: 5, wait: 4, done: 1, gates: 5}, n2)
		assert.Equal(t, list1, list2)
		assert.Equal(t, text1, text2)
		assert.Contains(t, text2, "budget is spent")
	})
}

// A canceled item has its Done hook too, also one that never ran.
func TestDoneExactlyOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var starts, dones atomic.Int64
		policy := every(time.Hour, 3, retry.WithHooks(retry.Hooks{
			Start: func(ctx context.Context) context.Context { starts.Add(1); return ctx },
			Done:  func(context.Context, retry.Outcome) { dones.Add(1) },
		}))
		p := start(t, down, retrypool.Config[int]{Policy: policy})
		tasks := []*retrypool.Task[int]{submit(t, p, 1), submit(t, p, 2)}
		time.Sleep(time.Minute)
		for _, task := range append(tasks, submit(t, p, 3)) {
			task.Cancel()
		}
		submit(t, p, 4)
		require.NoError(t, p.Join(t.Context()))
		assert.EqualValues(t, 4, starts.Load())
		assert.EqualValues(t, 4, dones.Load())
	})
}

// The time in the queue is not the call's.
func TestCallBeginsWithItsFirstAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var elapsed log[time.Duration]
		c := retrypool.Config[int]{Policy: every(time.Second, 2, retry.WithMaxElapsed(time.Minute))}
		c.Events.Failed = func(e retrypool.Event[int]) { elapsed.add(e.Elapsed) }
		g := make(gate)
		p := start(t, func(ctx context.Context, in int) (int, error) {
			_, _ = g.fn(ctx, in)
			return 0, errDown
		}, c)
		submit(t, p, 1)
		task := submit(t, p, 2)
		time.Sleep(time.Hour)
		close(g)
		_, err := task.Wait(t.Context())
		e := stopped(t, err)
		assert.Equal(t, 2, e.Attempts)
		assert.Equal(t, time.Second, e.Elapsed)
		assert.Equal(t, time.Hour+time.Second, elapsed.list()[1], "but it is the event's")
	})
}

// A canceled item is canceled however its function or its policy's hooks end, and counts the
// attempts that were made.
func TestCanceledItemThatBreaksOff(t *testing.T) {
	for how, c := range map[string]struct {
		fn   func(ctx context.Context, in int) (int, error)
		done func(context.Context, retry.Outcome)
	}{
		"panic":  {fn: func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); panic("x") }},
		"goexit": {fn: func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); runtime.Goexit(); return 0, nil }},
		"hook":   {fn: down, done: func(context.Context, retry.Outcome) { panic("x") }},
	} {
		t.Run(how, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var letters log[int]
				p := start(t, c.fn, retrypool.Config[int]{
					Policy:     every(time.Hour, 2, retry.WithHooks(retry.Hooks{Done: c.done})),
					DeadLetter: func(_ context.Context, in int, _ *retry.Error) error { letters.add(in); return nil },
				})
				task := submit(t, p, 1)
				synctest.Wait()
				require.True(t, task.Cancel())
				_, err := task.Wait(t.Context())
				assert.Equal(t, 1, stopped(t, err).Attempts)
				var broken *retrypool.PanicError
				require.ErrorAs(t, err, &broken)
				assert.Equal(t, retrypool.Stats{Submitted: 1, Canceled: 1}, p.Stats())
				assert.Empty(t, letters.list())
			})
		})
	}
}

// So does one that is canceled just when it is about to be parked.
func TestCanceledItemThatBreaksOffInsteadOfParking(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var task atomic.Pointer[retrypool.Task[int]]
		p := start(t, down, retrypool.Config[int]{
			Policy: every(time.Hour, 2, retry.WithHooks(retry.Hooks{Done: func(context.Context, retry.Outcome) { panic("x") }})),
			Events: retrypool.Events[int]{Parked: func(retrypool.Event[int]) { task.Load().Cancel() }, Started: func(retrypool.Event[int]) {
				time.Sleep(time.Second) // until the test has stored the task
			}},
		})
		task.Store(submit(t, p, 1))
		_, err := task.Load().Wait(t.Context())
		assert.Equal(t, 1, stopped(t, err).Attempts)
		assert.Equal(t, retrypool.Stats{Submitted: 1, Canceled: 1}, p.Stats())
	})
}

// An item that ends with another pool's item, which that pool's Close cancels, is merely canceled in
// this one.
func TestOtherPoolGivesUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var letters log[int]
		inner := start(t, untilEnded, retrypool.Config[int]{
			DeadLetter: func(_ context.Context, in int, _ *retry.Error) error { letters.add(in); return nil },
		})
		outer, err := retrypool.New(func(ctx context.Context, in int) (int, error) {
			own, cancel := context.WithCancel(ctx)
			defer cancel()
			task, err := inner.Submit(own, in)
			if err != nil {
				return 0, err
			}
			return task.Wait(context.WithoutCancel(ctx))
		}, retrypool.Config[int]{Workers: 1, Capacity: 1})
		require.NoError(t, err)
		submit(t, outer, 7)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, outer.Close(ctx))
		synctest.Wait()
		assert.Empty(t, letters.list())
		assert.Equal(t, retrypool.Stats{Submitted: 1, Canceled: 1}, inner.Stats())
	})
}

// A retry that the policy does not make after all is none.
func TestRetriesAreAttempts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var calls log[int]
		p := start(t, func(_ context.Context, in int) (int, error) {
			calls.add(in)
			if in == 1 {
				time.Sleep(time.Hour)
				return 0, nil
			}
			return 0, errDown
		}, retrypool.Config[int]{Policy: every(time.Second, 5, retry.WithMaxElapsed(time.Minute))})
		submit(t, p, 0)
		submit(t, p, 1)
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, []int{0, 1}, calls.list())
		assert.Equal(t, retrypool.Stats{Submitted: 2, Succeeded: 1, Failed: 1}, p.Stats())
	})
}

// Whom Close hires is none of the pool's workers, which are numbered from 1 to Config.Workers.
func TestWorkerNumbers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var numbers log[int]
		p := start(t, down, retrypool.Config[int]{
			Workers: 2, Policy: every(time.Hour, 2),
			Events: retrypool.Events[int]{Canceled: func(e retrypool.Event[int]) {
				numbers.add(e.Worker)
				time.Sleep(time.Second)
			}},
		})
		for i := range 50 {
			submit(t, p, i)
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, p.Close(ctx))
		assert.Subset(t, []int{0, 1, 2}, numbers.list())
		assert.Contains(t, numbers.list(), 0)
	})
}

// nosy is a context that asks the pool.
type nosy struct {
	context.Context
	p *retrypool.Pool[int, int]
}

func (n nosy) Err() error { n.p.Stats(); return n.Context.Err() }

// The pool asks no context while it holds its lock.
func TestContextThatAsksThePool(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := start(t, untilEnded, retrypool.Config[int]{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		task, err := p.Submit(nosy{t.Context(), p}, 1)
		require.NoError(t, err)
		require.ErrorIs(t, p.Join(nosy{ctx, p}), context.DeadlineExceeded)
		task.Cancel()
	})
}
