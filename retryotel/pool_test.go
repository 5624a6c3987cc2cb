package retryotel_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryotel"
	"github.com/seed-205ff063/retry/retrypool"
)

// fixedPool is a pool whose figures do not change.
type fixedPool retrypool.Stats

func (f fixedPool) Stats() retrypool.Stats { return retrypool.Stats(f) }

// newPool makes an observed pool of two workers, whose items wait one second between attempts.
func newPool(t testing.TB, k *kit, fn func(context.Context, int) (int, error), opts ...retry.Option) *retrypool.Pool[int, int] {
	if fn == nil {
		fn = func(_ context.Context, in int) (int, error) { return in, nil }
	}
	p, err := retrypool.New(fn, retrypool.Config[int]{
		Workers: 2, Capacity: 100,
		Policy: retry.MustNew(k.options(opts...)...),
		Events: retryotel.PoolEvents[int](k.Recorder, "mail"),
		DeadLetter: func(_ context.Context, in int, _ *retry.Error) error {
			if in%2 == 0 {
				return errDown
			}
			return nil
		},
	})
	require.NoError(t, err)
	_, err = k.ObservePool("mail", p)
	require.NoError(t, err)
	return p
}

// poolFigures returns the figures that ObservePool records.
func poolFigures(f figures) retrypool.Stats {
	const prefix = "retry.pool."
	of := func(name, attribute, value string) int {
		return int(f[prefix+name+"{retry.pool.name=mail,"+attribute+"="+value+"}"])
	}
	settled := func(how string) int {
		return int(f[prefix+"settled{retry.pool.name=mail,retry.pool.outcome="+how+"}"])
	}
	return retrypool.Stats{
		Submitted:    int(f[prefix+"submitted{retry.pool.name=mail}"]),
		Retries:      int(f[prefix+"retries{retry.pool.name=mail}"]),
		Succeeded:    settled("succeeded"),
		DeadLettered: settled("dead_lettered"),
		Failed:       settled("failed"),
		Canceled:     settled("canceled"),
		Queued:       of("items", "retry.pool.state", "queued"),
		Running:      of("items", "retry.pool.state", "running"),
		Parked:       of("items", "retry.pool.state", "parked"),
	}
}

// assertPoolAddsUp checks that the pool's figures add up, and returns them.
func assertPoolAddsUp(t assert.TestingT, f figures) retrypool.Stats {
	s := poolFigures(f)
	assert.Equal(t, s.Submitted, s.Succeeded+s.DeadLettered+s.Failed+s.Canceled+s.Queued+s.Running+s.Parked, "%+v", s)
	assert.InDelta(t, float64(s.Submitted), f.total("retry.pool.settled")+f.total("retry.pool.items"), 0, "%+v", f)
	return s
}

// failsFirst returns a function that takes ten seconds. It fails for items 0 and 1, and at the first
// attempt for item 2.
func failsFirst() func(context.Context, int) (int, error) {
	var retried atomic.Bool
	return func(ctx context.Context, in int) (int, error) {
		select {
		case <-time.After(10 * time.Second):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		if in < 2 || in == 2 && !retried.Swap(true) {
			return 0, errDown
		}
		return in, nil
	}
}

// Two workers work on six items. The test looks at each step.
func TestPool(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		p := newPool(t, k, failsFirst(), retry.WithMaxAttempts(2), retry.WithBackoff(retry.Constant(time.Minute)))
		var tasks []*retrypool.Task[int]
		for i := range 6 {
			task, err := p.Submit(t.Context(), i)
			require.NoError(t, err)
			tasks = append(tasks, task)
		}
		for _, step := range []struct {
			sleep time.Duration
			want  retrypool.Stats
		}{
			{0, retrypool.Stats{Submitted: 6, Queued: 4, Running: 2}},
			{10 * time.Second, retrypool.Stats{Submitted: 6, Queued: 2, Running: 2, Parked: 2}},
			{10 * time.Second, retrypool.Stats{Submitted: 6, Running: 2, Parked: 3, Succeeded: 1}},
		} {
			time.Sleep(step.sleep)
			synctest.Wait()
			assert.Equal(t, step.want, assertPoolAddsUp(t, k.figures(t)))
		}
		tasks[5].Cancel()
		require.NoError(t, p.Close(t.Context()))

		f := k.figures(t)
		f.assertAddUp(t)
		assert.Equal(t, p.Stats(), assertPoolAddsUp(t, f))
		assert.Equal(t, retrypool.Stats{Submitted: 6, Succeeded: 3, Failed: 1, DeadLettered: 1, Canceled: 1, Retries: 3}, p.Stats())
		assert.Equal(t, map[string]float64{
			"queued":   0 + 0 + 10 + 10 + 20 + 20,
			"queued n": 6, "succeeded": 90 + 20 + 30, "succeeded n": 3,
			"failed": 80, "failed n": 1, "dead_lettered": 80, "dead_lettered n": 1, "canceled": 20, "canceled n": 1,
		}, itemTimes(f))
		k.assertSpansEnded(t)
	})
}

// itemTimes returns the sums and counts of the histograms that PoolEvents records, without zeros.
func itemTimes(f figures) map[string]float64 {
	times := map[string]float64{
		"queued":   f["retry.pool.queue.duration{retry.pool.name=mail}"],
		"queued n": f["retry.pool.queue.duration.count{retry.pool.name=mail}"],
	}
	for _, how := range []string{"succeeded", "failed", "dead_lettered", "canceled"} {
		if n := f["retry.pool.item.duration.count{retry.pool.name=mail,retry.pool.outcome="+how+"}"]; n > 0 {
			times[how+" n"] = n
			times[how] = f["retry.pool.item.duration{retry.pool.name=mail,retry.pool.outcome="+how+"}"]
		}
	}
	return times
}

// An item that made no attempt has a duration and no time in the queue.
func TestPoolItemWithoutAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		p := newPool(t, k, func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
		for i := range 3 {
			_, err := p.Submit(t.Context(), i)
			require.NoError(t, err)
		}
		task, err := p.Submit(t.Context(), 3)
		require.NoError(t, err)
		synctest.Wait()
		task.Cancel()
		closing, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, p.Close(closing))
		f := k.figures(t)
		f.assertAddUp(t)
		assert.Equal(t, p.Stats(), assertPoolAddsUp(t, f))
		assert.EqualValues(t, 2, f.total("retry.pool.queue.duration.count"))
		assert.EqualValues(t, 4, f.total("retry.pool.item.duration.count"))
		assert.EqualValues(t, 4, f.total("retry.calls", "reason=context"))
		k.assertSpansEnded(t)
	})
}

// After stop, the figures of the pool are no longer collected, and its name is free.
func TestPoolStop(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	stop, err := k.ObservePool("mail", fixedPool{Submitted: 3, Parked: 3})
	require.NoError(t, err)
	assert.Equal(t, retrypool.Stats{Submitted: 3, Parked: 3}, assertPoolAddsUp(t, k.figures(t)))
	stop()
	assert.Empty(t, k.figures(t))
	_, err = k.ObservePool("mail", fixedPool{})
	require.NoError(t, err)
}

// sizedPool is a pool that has a method Capacity.
type sizedPool struct{ fixedPool }

func (sizedPool) Capacity() int { return 7 }

// A program that names its pools after its users makes a bounded number of series, whether
// PoolEvents or ObservePool gets the name first. The figures of all pools still add up.
func TestPoolNamesAreBounded(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	for i := range 300 {
		name := fmt.Sprint("user ", i)
		e := retryotel.PoolEvents[int](k.Recorder, name)
		e.Started(retrypool.Event[int]{Attempt: 1})
		e.Succeeded(retrypool.Event[int]{})
		stop, err := k.ObservePool(name, sizedPool{fixedPool{Submitted: 3, Succeeded: 1, Queued: 2}})
		require.NoError(t, err)
		if i == 299 {
			stop()
		}
	}
	retryotel.PoolEvents[int](k.Recorder, "user 0").Started(retrypool.Event[int]{Attempt: 1})
	f := k.figures(t)
	for name, want := range map[string]struct{ first, other float64 }{
		"retry.pool.submitted{retry.pool.name=%s}":                                        {3, 43 * 3},
		"retry.pool.settled{retry.pool.name=%s,retry.pool.outcome=succeeded}":             {1, 43},
		"retry.pool.items{retry.pool.name=%s,retry.pool.state=queued}":                    {2, 43 * 2},
		"retry.pool.queue.duration.count{retry.pool.name=%s}":                             {2, 44},
		"retry.pool.item.duration.count{retry.pool.name=%s,retry.pool.outcome=succeeded}": {1, 44},
	} {
		assert.InDelta(t, want.first, f[fmt.Sprintf(name, "user 0")], 0, name)
		assert.InDelta(t, want.other, f[fmt.Sprintf(name, "_other")], 0, name)
		assert.NotContains(t, f, fmt.Sprintf(name, "user 256"))
	}
	assert.InDelta(t, 256*7, f.total("retry.pool.capacity"), 0, "_other has no capacity")
	assert.InDelta(t, 299*3, f.total("retry.pool.submitted"), 0)
	assert.InDelta(t, 301, f.total("retry.pool.queue.duration.count"), 0)
	pools := map[string]bool{}
	for key := range f {
		_, name, _ := strings.Cut(key, "retry.pool.name=")
		name, _, _ = strings.Cut(strings.TrimSuffix(name, "}"), ",")
		pools[name] = true
	}
	assert.Len(t, pools, 257)
	_, err := k.ObservePool("user 298", fixedPool{})
	require.ErrorIs(t, err, retry.ErrOption, "a name is also taken if its pool is recorded under _other")
	_, err = k.ObservePool("user 299", fixedPool{})
	require.NoError(t, err, "the name is free")
}

// Items that a function submits go on when the first item is settled, also with a recorder's hooks
// and attempt timeouts. Each is a call of its own.
func TestNestedItems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		var p *retrypool.Pool[int, int]
		p = newPool(t, k, func(ctx context.Context, in int) (int, error) {
			time.Sleep(time.Second)
			for range 3 {
				if in == 3 {
					break
				}
				if _, err := p.Submit(ctx, in+1); err != nil {
					return 0, err
				}
			}
			return in, ctx.Err()
		}, retry.WithAttemptTimeout(time.Minute))
		ctx, span := k.traces.Tracer("test").Start(t.Context(), "request")
		_, err := p.Submit(ctx, 1)
		require.NoError(t, err)
		for s := p.Stats(); s.Queued+s.Running+s.Parked > 0; s = p.Stats() {
			require.NoError(t, p.Join(t.Context()))
		}
		require.NoError(t, p.Close(t.Context()))
		span.End()
		assert.Equal(t, 13, p.Stats().Succeeded)
		calls := 0
		for _, s := range k.spans.Ended() {
			if s.Name() == "retry fetch" {
				calls++
				assert.Equal(t, span.SpanContext().SpanID(), s.Parent().SpanID(), "the request is the parent of every call")
			}
		}
		assert.Equal(t, 13, calls)
		k.assertSpansEnded(t)
	})
}
