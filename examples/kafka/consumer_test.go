package main

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/seed-205ff063/retry"
)

// An order that can be neither sent nor put away stays uncommitted, with all that is behind it, and the
// next consumer begins with it. Until then it is no use to go on.
func TestNotSettled(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		const bad = 150
		cured := false
		b := brokerWith(t, n, 300, func(topic string, order, _ int) mishap {
			switch {
			case order != bad || cured:
				return mishap{}
			case topic == invoices:
				return mishap{name: "invalid", code: kerr.InvalidRecord}
			}
			return mishap{name: "down", code: kerr.NotEnoughReplicas}
		})
		err := consumeAll(tenMinutes(t), b, 300)
		first := mustInspect(t, b)
		in := first.at(bad)
		require.ErrorContains(t, err, origin(in)+": retry: invoice: permanent error after 1 attempt in ")
		require.ErrorIs(t, err, kerr.InvalidRecord)
		require.ErrorIs(t, err, kerr.NotEnoughReplicas, "the dead letter's")
		require.ErrorIs(t, err, retry.ErrExhausted, "the dead letter's")
		assert.Equal(t, in.Offset, first.committed[in.Partition], "up to it, and not beyond")
		first.requirePrefix(t)
		assert.NotContains(t, byKey(first.letters), origin(in))
		assert.Empty(t, byKey(first.invoices)[origin(in)])

		cured = true
		require.NoError(t, consumeAll(tenMinutes(t), b, first.left()))
		second := mustInspect(t, b)
		require.NoError(t, second.check(300))
		assert.Len(t, byKey(second.invoices)[origin(in)], 1)
		assert.Greater(t, len(second.invoices), 294, "some behind it were sent twice")
		assert.Len(t, firsts(second.invoices), 294, "with the same keys")
	})
}

// Interrupted at any moment a consumer finishes what it has begun and commits just that: the next
// one goes on where it was, and nothing is sent twice.
func TestInterrupted(t *testing.T) {
	for _, after := range []int{1, 50, 137, 299} {
		t.Run("", func(t *testing.T) {
			virtual(t, func(t *testing.T, n network) {
				b := brokerWith(t, n, 300, never)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				settled := 0
				c, err := newConsumer(b, func() {
					if settled++; settled == after {
						cancel()
					}
				})
				require.NoError(t, err)
				require.NoError(t, c.run(ctx))
				first := mustInspect(t, b)
				first.requirePrefix(t)
				assert.GreaterOrEqual(t, settled, after)
				assert.Equal(t, 300-settled, first.left())

				if n := first.left(); n > 0 {
					require.NoError(t, consumeAll(tenMinutes(t), b, n))
				}
				r := mustInspect(t, b)
				require.NoError(t, r.check(300))
				assert.Len(t, append(r.invoices, r.letters...), 300)
			})
		})
	}
}

// What hangs is waited for as long as the grace lasts, and is left to the next consumer.
func TestInterruptedWhileOneHangs(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		hangs := true
		b := brokerWith(t, n, 60, func(topic string, order, _ int) mishap {
			return mishap{silent: hangs && topic == invoices && order == 30}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, consumeAll(ctx, b, 60), context.DeadlineExceeded)
		assert.InDelta(t, 1+grace.Seconds(), time.Since(began).Seconds(), 0.1)
		first := mustInspect(t, b)
		first.requirePrefix(t)
		in := first.at(30)
		assert.LessOrEqual(t, first.committed[in.Partition], in.Offset)
		assert.Less(t, first.left(), 60)

		hangs = false
		require.NoError(t, consumeAll(tenMinutes(t), b, first.left()))
		require.NoError(t, mustInspect(t, b).check(60))
	})
}

// A second consumer comes while orders hang that the first one has: it gets partitions once the first
// has finished what it can, or the grace is over, and begins with those orders.
func TestRebalance(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		var mu sync.Mutex
		second := false
		b := brokerWith(t, n, 300, func(topic string, order, _ int) mishap {
			mu.Lock()
			defer mu.Unlock()
			return mishap{silent: topic == invoices && 100 <= order && order < 100+customers && !second}
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var settled [2]int
		var running sync.WaitGroup
		for i := range settled {
			// While the client joins a group its loop of commits waits for a lock, and virtual time with it.
			c, err := newConsumer(b, func() { settled[i]++ }, kgo.AutoCommitInterval(time.Hour))
			require.NoError(t, err)
			running.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				assert.NoError(t, c.run(ctx))
			})
		}
		time.Sleep(2 * time.Second)
		before := mustInspect(t, b)
		before.requirePrefix(t)
		assert.Greater(t, before.left(), 100)
		mu.Lock()
		second = true // from now on all is well
		mu.Unlock()
		time.Sleep(2 * time.Minute)
		cancel()
		running.Wait()
		r := mustInspect(t, b)
		require.NoError(t, r.check(300))
		assert.Positive(t, settled[0])
		assert.Positive(t, settled[1])
	})
}

// The group takes a consumer for dead and gives its partitions away: nothing can be committed any more.
// It drops what it has of them, joins again, and reads again what was not committed.
func TestLost(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		// The first order is placed again when all are settled, so that nothing else is on its way.
		b := brokerWith(t, n, 6, func(topic string, order, nth int) mishap {
			return mishap{silent: topic == invoices && order == 1 && nth == 2}
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		settled := 0
		c, err := newConsumer(b, func() { settled++ }, kgo.AutoCommitInterval(time.Hour))
		require.NoError(t, err)
		var running sync.WaitGroup
		running.Go(func() { assert.NoError(t, c.run(ctx)) })
		time.Sleep(time.Second)
		require.NoError(t, b.place(t.Context(), 1))
		var joined atomic.Int64
		b.fake.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
			b.fake.KeepControl()
			joined.Add(1)
			return nil, nil, false
		})
		fault := b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.UnknownMemberID})
		time.Sleep(8 * time.Second)
		assert.Equal(t, 1, fault.Hits())
		assert.Positive(t, joined.Load(), "it waited for what hangs, which takes ten seconds")
		time.Sleep(time.Minute)
		cancel()
		running.Wait()
		require.NoError(t, mustInspect(t, b).check(7))
		assert.GreaterOrEqual(t, settled, 7)
	})
}

// Orders that come one by one leave as much room as those that come in batches.
func TestTrickle(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 1, never)
		const more = 5
		var placing sync.WaitGroup
		placing.Go(func() {
			for range more {
				time.Sleep(time.Second)
				assert.NoError(t, b.place(t.Context(), 1))
			}
		})
		require.NoError(t, consumeAll(tenMinutes(t), b, 1+more))
		placing.Wait()
		require.NoError(t, mustInspect(t, b).check(1+more))
	})
}

// Orders that cannot be read are no reason to wait for ever.
func TestReadError(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 1, never)
		b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: orders, Err: kerr.TopicAuthorizationFailed, Count: -1})
		err := consumeAll(tenMinutes(t), b, 1)
		require.ErrorIs(t, err, kerr.TopicAuthorizationFailed)
		require.ErrorContains(t, err, "read orders: ")
	})
}
