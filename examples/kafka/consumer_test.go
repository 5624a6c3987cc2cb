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

// An order that cannot be settled ends the consumer. Its offset and the later ones of its partition stay
// uncommitted, and the next consumer begins with it.
func TestNotSettled(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		const bad = 150
		cured := false
		b := brokerWith(t, n, 300, func(topic string, order, _ int) fault {
			switch {
			case order != bad || cured:
				return fault{}
			case topic == invoices:
				return fault{name: "invalid", code: kerr.InvalidRecord}
			}
			return fault{name: "down", code: kerr.NotEnoughReplicas}
		})
		err := consumeAll(longContext(t), b, 300)
		first := mustInspect(t, b)
		in := first.at(bad)
		require.ErrorContains(t, err, origin(in)+": retry: invoice: permanent error after 1 attempt in ")
		require.ErrorIs(t, err, kerr.InvalidRecord)
		require.ErrorIs(t, err, kerr.NotEnoughReplicas, "the dead letter's")
		require.ErrorIs(t, err, retry.ErrExhausted, "the dead letter's")
		assert.Equal(t, in.Offset, first.committed[in.Partition], "committed up to it and not beyond")
		first.requireNoGaps(t)
		assert.NotContains(t, byKey(first.letters), origin(in))
		assert.Empty(t, byKey(first.invoices)[origin(in)])

		cured = true
		require.NoError(t, consumeAll(longContext(t), b, first.uncommitted()))
		second := mustInspect(t, b)
		require.NoError(t, second.check(300))
		assert.Len(t, byKey(second.invoices)[origin(in)], 1)
		assert.Greater(t, len(second.invoices), 294, "some orders after it were sent twice")
		assert.Len(t, withoutDuplicates(second.invoices), 294, "with the same keys")
	})
}

// A consumer that is interrupted at any moment finishes the orders it has and commits exactly these. The
// next one goes on from there, and nothing is sent twice.
func TestInterrupted(t *testing.T) {
	for _, after := range []int{1, 50, 137, 299} {
		t.Run("", func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, n network) {
				b := brokerWith(t, n, 300, noFaults)
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
				first.requireNoGaps(t)
				assert.GreaterOrEqual(t, settled, after)
				assert.Equal(t, 300-settled, first.uncommitted())

				if n := first.uncommitted(); n > 0 {
					require.NoError(t, consumeAll(longContext(t), b, n))
				}
				r := mustInspect(t, b)
				require.NoError(t, r.check(300))
				assert.Len(t, append(r.invoices, r.letters...), 300)
			})
		})
	}
}

// A consumer waits up to grace for an order that hangs, and leaves it to the next consumer.
func TestInterruptedWhileOneHangs(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		hangs := true
		b := brokerWith(t, n, 60, func(topic string, order, _ int) fault {
			return fault{silent: hangs && topic == invoices && order == 30}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, consumeAll(ctx, b, 60), context.DeadlineExceeded)
		assert.InDelta(t, 1+grace.Seconds(), time.Since(began).Seconds(), 0.1)
		first := mustInspect(t, b)
		first.requireNoGaps(t)
		in := first.at(30)
		assert.LessOrEqual(t, first.committed[in.Partition], in.Offset)
		assert.Less(t, first.uncommitted(), 60)

		hangs = false
		require.NoError(t, consumeAll(longContext(t), b, first.uncommitted()))
		require.NoError(t, mustInspect(t, b).check(60))
	})
}

// A second consumer joins while some orders of the first one hang. It gets partitions when the first one has
// finished what it can or the grace is over, and begins with those orders.
func TestRebalance(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		var mu sync.Mutex
		second := false
		b := brokerWith(t, n, 300, func(topic string, order, _ int) fault {
			mu.Lock()
			defer mu.Unlock()
			return fault{silent: topic == invoices && 100 <= order && order < 100+customerCount && !second}
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var settled [2]int
		var running sync.WaitGroup
		for i := range settled {
			// While the client joins a group, its commit loop waits for a lock, which stops virtual time.
			c, err := newConsumer(b, func() { settled[i]++ }, kgo.AutoCommitInterval(time.Hour))
			require.NoError(t, err)
			running.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				assert.NoError(t, c.run(ctx))
			})
		}
		time.Sleep(2 * time.Second)
		before := mustInspect(t, b)
		before.requireNoGaps(t)
		assert.Greater(t, before.uncommitted(), 100)
		mu.Lock()
		second = true // from now on nothing hangs
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

// The group considers a consumer dead and reassigns its partitions, so it cannot commit. The consumer drops
// their orders, joins again, and reads what was not committed.
func TestLost(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		// The first order is placed again when all are settled, so it is the only one on its way.
		b := brokerWith(t, n, 6, func(topic string, order, nth int) fault {
			return fault{silent: topic == invoices && order == 1 && nth == 2}
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		settled := 0
		c, err := newConsumer(b, func() { settled++ }, kgo.AutoCommitInterval(time.Hour))
		require.NoError(t, err)
		var running sync.WaitGroup
		running.Go(func() { assert.NoError(t, c.run(ctx)) })
		time.Sleep(time.Second)
		require.NoError(t, b.placeOrders(t.Context(), 1))
		var joined atomic.Int64
		b.fake.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
			b.fake.KeepControl()
			joined.Add(1)
			return nil, nil, false
		})
		fault := b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.UnknownMemberID})
		time.Sleep(8 * time.Second)
		assert.Equal(t, 1, fault.Hits())
		assert.Positive(t, joined.Load(), "it waited for the request that hangs, which takes ten seconds")
		time.Sleep(time.Minute)
		cancel()
		running.Wait()
		require.NoError(t, mustInspect(t, b).check(7))
		assert.GreaterOrEqual(t, settled, 7)
	})
}

// Orders that come one by one give back their places in the pool, as those that come in batches do.
func TestTrickle(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 1, noFaults)
		const more = 5
		var placing sync.WaitGroup
		placing.Go(func() {
			for range more {
				time.Sleep(time.Second)
				assert.NoError(t, b.placeOrders(t.Context(), 1))
			}
		})
		require.NoError(t, consumeAll(longContext(t), b, 1+more))
		placing.Wait()
		require.NoError(t, mustInspect(t, b).check(1+more))
	})
}

// A permanent error of reading ends the consumer.
func TestReadError(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 1, noFaults)
		b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: orders, Err: kerr.TopicAuthorizationFailed, Count: -1})
		err := consumeAll(longContext(t), b, 1)
		require.ErrorIs(t, err, kerr.TopicAuthorizationFailed)
		require.ErrorContains(t, err, "read orders: ")
	})
}
