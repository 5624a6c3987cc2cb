package retryotel_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// The caller's span is the parent of the call's span. The call's span is the parent of the attempts'
// spans, which are the parents of fn's spans.
func TestSpans(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		tracer := k.traces.Tracer("test")
		ctx, caller := tracer.Start(t.Context(), "handler")
		n := 0
		err := retry.Do(ctx, func(ctx context.Context) error {
			_, span := tracer.Start(ctx, "query")
			time.Sleep(2 * time.Second)
			span.End()
			if n++; n == 1 {
				return errDown
			}
			return nil
		}, k.options()...)
		caller.End()
		require.NoError(t, err)
		assert.Equal(t, `handler {} 5s
  retry fetch {retry.call.attempts=2,retry.outcome=succeeded,retry.policy.name=fetch,retry.retried=true} 5s
    * retry.wait {retry.attempt.number=1,retry.wait.duration=1}
    retry.attempt {retry.attempt.number=1,retry.outcome=failed,retry.policy.name=fetch} 2s Error: down
      * exception {exception.message=down,exception.type=*errors.errorString}
      query {} 2s
    retry.attempt {retry.attempt.number=2,retry.outcome=succeeded,retry.policy.name=fetch} 2s
      query {} 2s
`, k.tree())
		k.assertSpansEnded(t)
	})
}

func TestSpansOfFailures(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, retry.Attempt) (func(error), error) {
		time.Sleep(time.Second)
		return nil, retry.Permanent(errors.New("bulkhead full"))
	}
	for name, tt := range map[string]struct {
		opts []retry.Option
		dead bool
		want string
	}{
		"exhausted": {
			opts: []retry.Option{retry.WithMaxAttempts(1)},
			want: `retry fetch {retry.call.attempts=1,retry.outcome=failed,retry.policy.name=fetch,retry.reason=exhausted,retry.retried=false} 0s Error: retry: fetch: attempts exhausted after 1 attempt in 0s: down
  retry.attempt {retry.attempt.number=1,retry.outcome=failed,retry.policy.name=fetch} 0s Error: down
    * exception {exception.message=down,exception.type=*errors.errorString}
`,
		},
		"no attempt": {
			dead: true,
			want: `retry fetch {retry.call.attempts=0,retry.outcome=failed,retry.policy.name=fetch,retry.reason=context,retry.retried=false} 0s Error: retry: fetch: context done (context canceled) after 0 attempts in 0s
`,
		},
		"refused by a gate": {
			opts: []retry.Option{retry.WithGate(refuse)},
			want: `retry fetch {retry.call.attempts=1,retry.outcome=failed,retry.policy.name=fetch,retry.reason=permanent,retry.retried=false} 1s Error: retry: fetch: permanent error after 1 attempt in 1s: bulkhead full
  retry.attempt {retry.attempt.number=1,retry.outcome=failed,retry.policy.name=fetch} 1s Error: bulkhead full
    * exception {exception.message=bulkhead full,exception.type=*errors.errorString}
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := newKit(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.dead {
					cancel()
				}
				require.Error(t, retry.Do(ctx, func(context.Context) error { return errDown }, k.options(tt.opts...)...))
				assert.Equal(t, tt.want, k.tree())
				k.assertSpansEnded(t)
				k.figures(t).assertAddUp(t)
			})
		})
	}
}

// If a gate rejects a later attempt, that attempt has a span of its own.
func TestSpanOfALaterRejection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		refuse := func(_ context.Context, a retry.Attempt) (func(error), error) {
			if a.Number == 2 {
				time.Sleep(3 * time.Second)
				return nil, errors.New("full")
			}
			return nil, nil
		}
		require.NoError(t, retry.Do(t.Context(), retrytest.Fail(1, errDown), k.options(retry.WithGate(refuse))...))
		assert.Equal(t, `retry fetch {retry.call.attempts=3,retry.outcome=succeeded,retry.policy.name=fetch,retry.retried=true} 5s
  * retry.wait {retry.attempt.number=1,retry.wait.duration=1}
  * retry.wait {retry.attempt.number=2,retry.wait.duration=1}
  retry.attempt {retry.attempt.number=1,retry.outcome=failed,retry.policy.name=fetch} 0s Error: down
    * exception {exception.message=down,exception.type=*errors.errorString}
  retry.attempt {retry.attempt.number=2,retry.outcome=failed,retry.policy.name=fetch} 3s Error: full
    * exception {exception.message=full,exception.type=*errors.errorString}
  retry.attempt {retry.attempt.number=3,retry.outcome=succeeded,retry.policy.name=fetch} 0s
`, k.tree())
		k.assertSpansEnded(t)
		k.figures(t).assertAddUp(t)
	})
}

// A loop over Attempts has spans too, also if the loop is left. Spans of its body are children of the
// attempt.
func TestSpansOfALoop(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	var err error
	for ctx, n := range retry.Attempts(t.Context(), &err, k.options(retry.WithBackoff(retry.Constant(0)))...) {
		_, span := k.traces.Tracer("test").Start(ctx, "body")
		span.End()
		err = errDown
		if n == 2 {
			break
		}
	}
	require.Equal(t, errDown, err)
	ended := k.spans.Ended()
	require.Len(t, ended, 5)
	assert.Equal(t, ended[1].SpanContext().SpanID(), ended[0].Parent().SpanID())
	assert.Equal(t, ended[3].SpanContext().SpanID(), ended[2].Parent().SpanID())
	assert.Equal(t, "retry fetch", ended[4].Name())
	k.assertSpansEnded(t)
	f := k.figures(t)
	f.assertAddUp(t)
	assert.EqualValues(t, 1, f.total("retry.calls", "reason=permanent"))
}

// If a Run goes on after a panic, the span of the attempt that panicked ends then.
func TestRunGoesOnAfterAPanic(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]int{"another attempt": 2, "no other": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t)
			run := retry.MustNew(k.options(retry.WithMaxAttempts(next))...).Start(t.Context())
			assert.Panics(t, func() { run.Try(func(context.Context) error { panic("boom") }) })
			assert.Empty(t, k.spans.Ended())
			_, again := run.Try(succeeds)
			require.False(t, again)
			k.assertSpansEnded(t)
			assert.Equal(t, "the function did not return", k.spans.Ended()[0].Status().Description)
			f := k.figures(t)
			assert.EqualValues(t, 1, f.total("retry.calls"))
			assert.EqualValues(t, next-1, f.total("retry.attempt.duration.count"))
		})
	}
}

// An attempt that panicked is not mistaken for the next attempt, which a gate rejects.
func TestRejectionAfterAPanic(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	refuse := retry.OnlyRetries(func(context.Context, retry.Attempt) (func(error), error) {
		return nil, retry.Permanent(errDown)
	})
	run := retry.MustNew(k.options(retry.WithGate(refuse))...).Start(t.Context())
	assert.Panics(t, func() { run.Try(func(context.Context) error { panic("boom") }) })
	_, again := run.Try(succeeds)
	require.False(t, again)
	k.assertSpansEnded(t)
	var texts []string
	for _, s := range k.spans.Ended() {
		texts = append(texts, s.Status().Description)
	}
	require.Len(t, texts, 3)
	assert.Equal(t, []string{"the function did not return", "down"}, texts[:2])
}

// A span that is made with the context of an ended attempt is still a child of the attempt.
func TestSpanThatOutlivesItsAttempt(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	var release context.CancelFunc
	kept, err := retry.DoValue(t.Context(), func(ctx context.Context) (context.Context, error) {
		release = retry.KeepContext(ctx)
		return ctx, nil
	}, k.options(retry.WithAttemptTimeout(time.Minute))...)
	require.NoError(t, err)
	k.assertSpansEnded(t)
	_, body := k.traces.Tracer("test").Start(kept, "body")
	body.End()
	release()
	ended := k.spans.Ended()
	require.Len(t, ended, 3)
	assert.Equal(t, "retry.attempt", ended[0].Name())
	assert.Equal(t, ended[0].SpanContext().SpanID(), ended[2].Parent().SpanID())
}
