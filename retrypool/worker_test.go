package retrypool_test

import (
	"context"
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

func TestPanicIsTheItemsError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var done atomic.Int64
		policy := waitEvery(time.Hour, 5, retry.WithHooks(retry.Hooks{Done: func(_ context.Context, o retry.Outcome) {
			assert.Equal(t, retry.ErrPermanent, o.Err.Reason)
			done.Add(1)
		}}))
		p := newPool(t, func(_ context.Context, in int) (int, error) {
			if in == 0 {
				panic(errDown)
			}
			explode()
			return 1, nil
		}, retrypool.Config[int]{Policy: policy})
		_, err := submit(t, p, 0).Wait(t.Context())
		require.EqualError(t, err, "retry: permanent error after 1 attempt in 0s: retrypool: panic: down")
		require.ErrorIs(t, err, errDown, "the panic's value is an error")

		v, err := submit(t, p, 1).Wait(t.Context())
		var panicked *retrypool.PanicError
		require.ErrorAs(t, err, &panicked)
		assert.Zero(t, v)
		assert.Equal(t, "boom", panicked.Value)
		assert.Contains(t, string(panicked.Stack), "explode", "the stack of the panic")
		assert.Equal(t, retry.ErrPermanent, retryError(t, err).Reason, "it is not retried")
		assert.Equal(t, retrypool.Stats{Submitted: 2, Failed: 2}, p.Stats())
		assert.EqualValues(t, 2, done.Load(), "Done hooks run")
	})
}

func explode() { panic("boom") }

// everyPart returns a policy that has every part. Each calls the function with its name.
func everyPart(call func(part string)) *retry.Policy {
	return retry.MustNew(
		retry.WithMaxAttempts(2),
		retry.WithHooks(retry.Hooks{
			Start:         func(ctx context.Context) context.Context { call("Start"); return ctx },
			BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { call("BeforeAttempt"); return ctx },
			AfterAttempt:  func(context.Context, retry.Attempt) { call("AfterAttempt") },
			BeforeWait:    func(context.Context, retry.Attempt) { call("BeforeWait") },
			Done:          func(context.Context, retry.Outcome) { call("Done") },
		}),
		retry.WithBackoff(retry.BackoffFunc(func(retry.Attempt) time.Duration { call("backoff"); return time.Second })),
		retry.WithValidator(func(int, retry.Attempt) error { call("validator"); return errDown }),
		retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { call("gate"); return nil, nil }))
}

// A panic or Goexit, in whichever part of the policy, ends the item and not the pool.
func TestPanicAndGoexitAnywhere(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"fn", "Start", "BeforeAttempt", "AfterAttempt", "BeforeWait", "Done", "gate", "validator", "backoff"} {
		for _, how := range []string{"panic", "Goexit"} {
			t.Run(where+", "+how, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					first := true
					fail := func(at string) {
						if first && at == where {
							first = false
							if how == "panic" {
								panic("boom")
							}
							runtime.Goexit()
						}
					}
					p := newPool(t, func(_ context.Context, in int) (int, error) { fail("fn"); return in, nil },
						retrypool.Config[int]{Policy: everyPart(fail)})
					_, err := submit(t, p, 1).Wait(t.Context())
					var panicked *retrypool.PanicError
					require.ErrorAs(t, err, &panicked)
					assert.NotEmpty(t, panicked.Stack)
					assert.Equal(t, retry.ErrPermanent, retryError(t, err).Reason)
					want := "boom"
					if how == "Goexit" {
						want = "the goroutine was ended by runtime.Goexit"
					}
					require.ErrorContains(t, err, want)

					_, err = submit(t, p, 2).Wait(t.Context()) // the worker works again
					assert.Equal(t, retry.ErrExhausted, retryError(t, err).Reason)
				})
			})
		}
	}
}

// The same in the callbacks of events, also when another goroutine cancels the item.
func TestGoexitInCallbacks(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"Started", "Parked", "Succeeded", "Failed", "Canceled"} {
		t.Run(where, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				fail := func(at string) func(retrypool.Event[int]) {
					return func(retrypool.Event[int]) {
						if at == where {
							runtime.Goexit()
						}
					}
				}
				c := retrypool.Config[int]{Policy: waitEvery(time.Hour, 2), Events: retrypool.Events[int]{
					Started: fail("Started"), Parked: fail("Parked"),
					Succeeded: fail("Succeeded"), Failed: fail("Failed"), Canceled: fail("Canceled"),
				}}
				p := newPool(t, func(_ context.Context, in int) (int, error) {
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
				assertAddsUp(t, s)
				assert.Equal(t, 6, s.Succeeded+s.Failed+s.Canceled)
			})
		})
	}
}

// Workers are numbered from 1 to Config.Workers. The worker that Close adds has number 0.
func TestWorkerNumbers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var numbers log[int]
		p := newPool(t, alwaysFails, retrypool.Config[int]{
			Workers: 2, Policy: waitEvery(time.Hour, 2),
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
