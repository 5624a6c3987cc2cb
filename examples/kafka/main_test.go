package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/seed-205ff063/retry"
)

// virtual runs the test in virtual time, over connections in memory: timeouts and waits take none.
func virtual(t *testing.T, test func(t *testing.T, n network)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n kfake.VirtualNetwork
		test(t, network{listen: n.Listen, dial: n.DialContext})
	})
}

// brokerWith returns a broker with a number of orders.
func brokerWith(t *testing.T, n network, orders int, mishaps func(topic string, order, nth int) mishap) *broker {
	t.Helper()
	b, err := newBroker(n, mishaps)
	require.NoError(t, err)
	t.Cleanup(b.close)
	require.NoError(t, b.place(t.Context(), orders))
	return b
}

// tenMinutes is longer than anything takes, and in virtual time no time at all.
func tenMinutes(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func mustInspect(t *testing.T, b *broker) *report {
	t.Helper()
	r, err := inspect(context.Background(), b)
	require.NoError(t, err)
	return r
}

// left is how many orders the next consumer reads.
func (r *report) left() (n int) {
	for p, end := range r.ends {
		n += int(end - max(r.committed[p], 0))
	}
	return n
}

// at returns the order of a number.
func (r *report) at(number int) *kgo.Record {
	for _, o := range r.orders {
		if bytes.Equal(o.Value, placed(number).Value) {
			return o
		}
	}
	return nil
}

// requirePrefix checks that no order is committed that is not settled, nor any behind one.
func (r *report) requirePrefix(t *testing.T) {
	t.Helper()
	sent, put := byKey(r.invoices), byKey(r.letters)
	for _, o := range r.orders {
		if len(sent[origin(o)])+len(put[origin(o)]) == 0 {
			require.LessOrEqual(t, r.committed[o.Partition], o.Offset, origin(o))
		}
	}
}

func never(string, int, int) mishap { return mishap{} }

func TestRun(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 300, mishaps)
		require.NoError(t, consumeAll(tenMinutes(t), b, 300))
		r := mustInspect(t, b)
		require.NoError(t, r.check(300))

		assert.Len(t, firsts(r.invoices), 288)
		assert.Greater(t, len(r.invoices), 288, "duplicates, which the reader drops")
		letters := byKey(r.letters)
		assert.Len(t, letters, 12)
		for number, want := range map[int][2]string{
			worthless: {"1", "an order for nothing"},
			garbled:   {"1", "not an order: unexpected end of JSON input"},
			tooLarge:  {"1", "MESSAGE_TOO_LARGE: "},
			unlucky:   {"5", "NOT_ENOUGH_REPLICAS: "},
		} {
			in := r.at(number)
			require.NotNil(t, in)
			letter := letters[origin(in)][0]
			assert.Equal(t, in.Key, letter.Key)
			assert.Equal(t, in.Value, letter.Value)
			assert.Equal(t, "north", headerOf(letter, "shop"), "a header that the order had")
			assert.Equal(t, origin(in), headerOf(letter, letterOrigin))
			assert.True(t, strings.HasPrefix(headerOf(letter, letterError), want[1]), headerOf(letter, letterError))
			if number != tooLarge { // it may have had company that was not enough replicas, before
				assert.Equal(t, want[0], headerOf(letter, letterAttempts), number)
			}
		}
		for _, what := range []string{"message too large", "not enough replicas", "not enough replicas after append", "reply lost"} {
			assert.Positive(t, b.met()[what], what)
		}
	})
}

// As it is run: over the loopback interface, in real time.
func TestLoopback(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	require.NoError(t, run(ctx, &out, 100, network{}))
	t.Log(out.String())
	assert.Regexp(t, `(?s)^100 orders in 3 partitions\n.*\n96 invoices in 1\d\d records\n4 dead letters in \d+ records\n`, out.String())
	assert.Regexp(t, `(?m)^  orders/\d/\d+ of customer 17, attempts: 5, NOT_ENOUGH_REPLICAS: `, out.String())
	assert.Regexp(t, `(?m)^orders/1: committed up to 40 of 40$`, out.String())
}

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

// A broker that refuses everything is no fault of the orders: none is put away, and none committed.
func TestOutageIsNoDeadLetter(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 30, func(topic string, _, _ int) mishap {
			if topic == invoices {
				return mishap{name: "not allowed", code: kerr.TopicAuthorizationFailed}
			}
			return mishap{}
		})
		err := consumeAll(tenMinutes(t), b, 30)
		require.ErrorIs(t, err, kerr.TopicAuthorizationFailed)
		require.ErrorContains(t, err, "the order is not to blame")
		r := mustInspect(t, b)
		assert.Subset(t, []string{origin(r.at(worthless)), origin(r.at(garbled))}, slices.Collect(maps.Keys(byKey(r.letters))))
		assert.Positive(t, r.left())
	})
}

// A batch is refused as a whole; the innocent ones in it are sent all the same.
func TestBlame(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 200, func(topic string, order, _ int) mishap {
			if topic == invoices && order%9 == 1 {
				return mishap{name: "invalid", code: kerr.InvalidRecord}
			}
			return mishap{}
		})
		err := consumeAll(tenMinutes(t), b, 200)
		require.NoError(t, err)
		r := mustInspect(t, b)
		require.NoError(t, r.check(200))
		letters := byKey(r.letters)
		company := false
		for number := 1; number <= 200; number++ {
			in := r.at(number)
			switch {
			case number%100 == worthless || number%100 == garbled:
			case number%9 == 1:
				assert.Contains(t, letters, origin(in), number)
			default:
				assert.NotContains(t, letters, origin(in), number)
				company = company || b.seen[fmt.Sprint(invoices, number)] > 1
			}
		}
		assert.True(t, company, "no innocent was in a batch that was refused")
	})
}

// An attempt that gets no answer ends after ten seconds, and is followed by another.
func TestAttemptTimeout(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 1, func(topic string, _, nth int) mishap { return mishap{silent: topic == invoices && nth <= 2} })
		began := time.Now()
		require.NoError(t, consumeAll(tenMinutes(t), b, 1))
		// Waits of 20 and 40 ms at most.
		assert.InDelta(t, 20, time.Since(began).Seconds(), 0.1)
		require.NoError(t, mustInspect(t, b).check(1))
	})
}

// The client makes one request an attempt, whatever the failure: its retries would multiply ours.
func TestOneRequestAnAttempt(t *testing.T) {
	for _, m := range []mishap{
		{name: "retriable", code: kerr.NotLeaderForPartition},
		{name: "not enough replicas", code: kerr.NotEnoughReplicas},
		{name: "after append", code: kerr.NotEnoughReplicasAfterAppend},
		{name: "timed out at the broker", code: kerr.RequestTimedOut},
		{name: "unknown topic", code: kerr.UnknownTopicOrPartition},
		{name: "reply lost", lost: true},
	} {
		t.Run(m.name, func(t *testing.T) {
			virtual(t, func(t *testing.T, n network) {
				b := brokerWith(t, n, 1, func(topic string, _, _ int) mishap {
					if topic == invoices {
						return m
					}
					return mishap{}
				})
				began := time.Now()
				require.NoError(t, consumeAll(tenMinutes(t), b, 1))
				r := mustInspect(t, b)
				require.NoError(t, r.check(1))
				require.Len(t, r.letters, 1)
				assert.Equal(t, "5", headerOf(r.letters[0], letterAttempts))
				assert.Equal(t, 5, b.met()[m.name])
				assert.Less(t, time.Since(began), time.Second, "waits other than the policy's")
			})
		})
	}
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

// run says that it was interrupted.
func TestNoOrders(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, -1} {
		require.ErrorContains(t, run(t.Context(), io.Discard, n, network{}), "at least 1")
	}
}

func TestRunInterrupted(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, run(ctx, io.Discard, 300, n), context.DeadlineExceeded)
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

func TestShare(t *testing.T) {
	t.Parallel()
	record := func(offset int64) *kgo.Record { return &kgo.Record{Offset: offset} }
	for name, c := range map[string]struct {
		offsets []int64
		settled []int64
		want    []int64
	}{
		"in order":        {[]int64{5, 6, 7}, []int64{5, 6, 7}, []int64{5, 6, 7}},
		"out of order":    {[]int64{5, 6, 7, 8}, []int64{7, 6, 5, 8}, []int64{7, 8}},
		"one is missing":  {[]int64{5, 6, 7, 8}, []int64{5, 7, 8}, []int64{5}},
		"the first is":    {[]int64{0, 1, 2}, []int64{2, 1}, nil},
		"gaps in between": {[]int64{5, 9, 20}, []int64{9, 5, 20}, []int64{9, 20}},
	} {
		var ready []int64
		s := newShare(t.Context(), func(r *kgo.Record) { ready = append(ready, r.Offset) })
		for _, o := range c.offsets {
			s.add(record(o))
		}
		for _, o := range c.settled {
			s.settled(record(o))
		}
		assert.Equal(t, c.want, ready, name)
		assert.Len(t, s.done, len(s.read)-(len(c.offsets)-len(c.settled)), name)
	}
}

// The invoice is made and encoded once, and has its key before the first attempt.
func TestEncodedOnce(t *testing.T) {
	t.Parallel()
	in := placed(1)
	in.Partition, in.Offset = 2, 17
	j := newJob(in, nil)
	first, err := j.out()
	require.NoError(t, err)
	again, err := j.out()
	require.NoError(t, err)
	assert.Same(t, first, again)
	assert.Equal(t, "orders/2/17", headerOf(first, idempotencyKey))
	assert.JSONEq(t, `{"order": 1, "customer": "customer 1", "cents": 100, "tax": 19}`, string(first.Value))
}

func TestClassification(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err              error
		refused, atFault bool
	}{
		{kerr.NotEnoughReplicas, false, false},
		{kerr.RequestTimedOut, false, false},
		{kgo.ErrRecordRetries, false, false},
		{context.DeadlineExceeded, false, false},
		{io.ErrUnexpectedEOF, false, false},
		{kerr.MessageTooLarge, true, true},
		{errors.Join(kerr.InvalidRecord), true, true},
		{kerr.TopicAuthorizationFailed, true, false},
		{nil, false, false},
	} {
		assert.Equal(t, c.refused, refused(c.err), "%v", c.err)
		assert.Equal(t, c.atFault, atFault(c.err), "%v", c.err)
	}
}

// What the check is for: it must notice.
func TestCheck(t *testing.T) {
	virtual(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 60, never)
		require.NoError(t, consumeAll(tenMinutes(t), b, 60))
		for want, change := range map[string]func(r *report){
			"":                       func(*report) {},
			"59 orders were placed":  func(r *report) { r.orders = r.orders[1:] },
			"is neither sent nor":    func(r *report) { r.invoices = r.invoices[1:] },
			`invoice of "", which`:   func(r *report) { r.invoices = append(r.invoices, placed(1)) },
			`dead letter of "x/1/2"`: func(r *report) { r.letters[0].Headers = []kgo.RecordHeader{header(idempotencyKey, "x/1/2")} },
			"committed up to 0":      func(r *report) { r.committed[1] = 0 },
			"after that of order":    func(r *report) { slices.Reverse(r.invoices) },
		} {
			r := mustInspect(t, b)
			change(r)
			if err := r.check(60); want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, want)
			}
		}
	})
}
