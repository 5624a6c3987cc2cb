package retrypool_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// namedEvent is an event with the name of its callback.
type namedEvent struct {
	what string
	retrypool.Event[int]
}

func recordEvents(l *log[namedEvent]) retrypool.Events[int] {
	as := func(what string) func(retrypool.Event[int]) {
		return func(e retrypool.Event[int]) {
			e.Context = nil // TestContextOfEvents checks it
			l.add(namedEvent{what, e})
		}
	}
	return retrypool.Events[int]{
		Queued: as("queued"), Started: as("started"), Parked: as("parked"), Succeeded: as("succeeded"),
		DeadLettered: as("dead-lettered"), Failed: as("failed"), Canceled: as("canceled"),
	}
}

func TestEvents(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var l log[namedEvent]
		const s = time.Second
		c := retrypool.Config[int]{Policy: waitEvery(10*s, 2), Events: recordEvents(&l)}
		n := 0
		p := newPool(t, func(context.Context, int) (int, error) {
			if n++; n > 3 {
				time.Sleep(s / 2)
				return 0, errDown
			}
			time.Sleep(s)
			if n == 3 {
				return 1, nil
			}
			return 0, errDown
		}, c)
		submit(t, p, 7)
		time.Sleep(s / 2)
		submit(t, p, 8)
		submit(t, p, 9)
		require.NoError(t, p.Join(t.Context()))
		got := l.list()
		for i, e := range got {
			if e.what == "failed" {
				assert.Equal(t, retry.ErrExhausted, retryError(t, e.Err).Reason)
				got[i].Err = nil
			}
		}
		type e = retrypool.Event[int]
		assert.Equal(t, []namedEvent{
			{"queued", e{Item: 7, Queued: 1}},
			{"started", e{Item: 7, Worker: 1, Attempt: 1}},
			{"queued", e{Item: 8, Queued: 1}},
			{"queued", e{Item: 9, Queued: 2}},
			{"parked", e{Item: 7, Worker: 1, Attempt: 1, Wait: 10 * s, Elapsed: s, Queued: 2, Err: errDown}},
			{"started", e{Item: 8, Worker: 1, Attempt: 1, Elapsed: s / 2, Queued: 1}},
			{"parked", e{Item: 8, Worker: 1, Attempt: 1, Wait: 10 * s, Elapsed: 3 * s / 2, Queued: 1, Err: errDown}},
			{"started", e{Item: 9, Worker: 1, Attempt: 1, Elapsed: 3 * s / 2}},
			{"succeeded", e{Item: 9, Worker: 1, Attempt: 1, Elapsed: 5 * s / 2}},
			{"started", e{Item: 7, Worker: 1, Attempt: 2, Elapsed: 11 * s}},
			{"failed", e{Item: 7, Worker: 1, Attempt: 2, Elapsed: 23 * s / 2}},
			{"started", e{Item: 8, Worker: 1, Attempt: 2, Elapsed: 23 * s / 2}},
			{"failed", e{Item: 8, Worker: 1, Attempt: 2, Elapsed: 12 * s}},
		}, got)
	})
}

func TestOutcomeEvents(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var l log[namedEvent]
		c := retrypool.Config[int]{Policy: waitEvery(time.Hour, 2), Events: recordEvents(&l)}
		c.DeadLetter = func(_ context.Context, in int, _ *retry.Error) error {
			if in == 2 {
				return errDead
			}
			return nil
		}
		p := newPool(t, func(_ context.Context, in int) (int, error) {
			if in == 0 {
				return 0, nil
			}
			return 0, errDown
		}, c)
		for i := range 3 {
			submit(t, p, i)
			synctest.Wait()
		}
		require.NoError(t, p.Join(t.Context()))
		canceled := submit(t, p, 3)
		synctest.Wait()
		canceled.Cancel()
		var ends []namedEvent
		for _, e := range l.list() {
			switch e.what {
			case "queued", "started", "parked":
			default:
				e.Queued = 0 // other items may or may not be due by then
				if e.Err != nil {
					require.ErrorIs(t, e.Err, errDown)
					assert.Equal(t, e.what == "failed", errors.Is(e.Err, errDead))
					e.Err = nil
				}
				ends = append(ends, e)
			}
		}
		type e = retrypool.Event[int]
		assert.Equal(t, []namedEvent{
			{"succeeded", e{Item: 0, Worker: 1, Attempt: 1}},
			{"dead-lettered", e{Item: 1, Worker: 1, Attempt: 2, Elapsed: time.Hour}},
			{"failed", e{Item: 2, Worker: 1, Attempt: 2, Elapsed: time.Hour}},
			{"canceled", e{Item: 3, Attempt: 1}},
		}, ends)
	})
}

// An item's last event returns before its task is done.
func TestEventsComeBeforeTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		told := false
		c := retrypool.Config[int]{}
		c.Events.Succeeded = func(retrypool.Event[int]) { time.Sleep(time.Second); told = true }
		p := newPool(t, double, c)
		_, err := submit(t, p, 1).Wait(t.Context())
		require.NoError(t, err)
		assert.True(t, told)
	})
}

// Callbacks and all other user code run without the pool's lock.
func TestCallbacksMayUseThePool(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var p *retrypool.Pool[int, int]
		var task *retrypool.Task[int]
		uses := 0
		use := func() {
			uses++
			assertAddsUp(t, p.Stats())
			if task != nil {
				task.Done()
			}
			_, err := p.TrySubmit(-1)
			assert.ErrorIs(t, err, retrypool.ErrFull)
		}
		event := func(retrypool.Event[int]) { use() }
		c := retrypool.Config[int]{
			Capacity: 1, Policy: waitEvery(time.Second, 2),
			DeadLetter: func(context.Context, int, *retry.Error) error { use(); return nil },
			Events:     retrypool.Events[int]{Queued: event, Started: event, Parked: event, DeadLettered: event},
			Key: func(in int) string {
				if in >= 0 {
					p.Stats()
				}
				return ""
			},
		}
		p = newPool(t, func(context.Context, int) (int, error) { use(); return 0, errDown }, c)
		task = submit(t, p, 1)
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, 8, uses)
	})
}

// Every event has the item's context with the values of the submitting context, so that
// measurements lead to the caller's trace.
func TestContextOfEvents(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		type key struct{}
		var l log[string]
		as := func(what string) func(retrypool.Event[int]) {
			return func(e retrypool.Event[int]) { l.add(fmt.Sprint(what, " ", e.Context.Value(key{}))) }
		}
		p := newPool(t, func(_ context.Context, in int) (int, error) {
			if in == 0 {
				return 0, errDown
			}
			return in, nil
		}, retrypool.Config[int]{Policy: waitEvery(time.Hour, 2), Events: retrypool.Events[int]{
			Queued: as("queued"), Started: as("started"), Parked: as("parked"), Succeeded: as("succeeded"),
			DeadLettered: as("dead-lettered"), Failed: as("failed"), Canceled: as("canceled"),
		}})
		for i, value := range []string{"ann", "bob", "eve"} {
			task, err := p.Submit(context.WithValue(t.Context(), key{}, value), i%2)
			require.NoError(t, err)
			synctest.Wait()
			if value == "eve" {
				task.Cancel()
			}
		}
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, []string{
			"queued ann", "started ann", "parked ann",
			"queued bob", "started bob", "succeeded bob",
			"queued eve", "started eve", "parked eve", "canceled eve",
			"started ann", "failed ann",
		}, l.list())
	})
}
