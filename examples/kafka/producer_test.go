package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

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
