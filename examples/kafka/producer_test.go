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

// A broker that refuses everything makes no dead letters, and no order is committed.
func TestOutageIsNoDeadLetter(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 30, func(topic string, _, _ int) fault {
			if topic == invoices {
				return fault{name: "not allowed", code: kerr.TopicAuthorizationFailed}
			}
			return fault{}
		})
		err := consumeAll(longContext(t), b, 30)
		require.ErrorIs(t, err, kerr.TopicAuthorizationFailed)
		require.ErrorContains(t, err, "the order is not to blame")
		r := mustInspect(t, b)
		assert.Subset(t, []string{origin(r.at(zeroAmount)), origin(r.at(invalidJSON))}, slices.Collect(maps.Keys(byKey(r.letters))))
		assert.Positive(t, r.uncommitted())
	})
}

// A batch is refused as a whole, but its good records are sent.
func TestBlame(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 200, func(topic string, order, _ int) fault {
			if topic == invoices && order%9 == 1 {
				return fault{name: "invalid", code: kerr.InvalidRecord}
			}
			return fault{}
		})
		err := consumeAll(longContext(t), b, 200)
		require.NoError(t, err)
		r := mustInspect(t, b)
		require.NoError(t, r.check(200))
		letters := byKey(r.letters)
		shared := false
		for number := 1; number <= 200; number++ {
			in := r.at(number)
			switch {
			case number%100 == zeroAmount || number%100 == invalidJSON:
			case number%9 == 1:
				assert.Contains(t, letters, origin(in), number)
			default:
				assert.NotContains(t, letters, origin(in), number)
				shared = shared || b.requests[fmt.Sprint(invoices, number)] > 1
			}
		}
		assert.True(t, shared, "no good record was in a batch that was refused")
	})
}

// An attempt without a reply ends after ten seconds, and another one follows.
func TestAttemptTimeout(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 1, func(topic string, _, nth int) fault { return fault{silent: topic == invoices && nth <= 2} })
		began := time.Now()
		require.NoError(t, consumeAll(longContext(t), b, 1))
		// Two timeouts, and waits of at most 20 and 40 ms.
		assert.InDelta(t, 20, time.Since(began).Seconds(), 0.1)
		require.NoError(t, mustInspect(t, b).check(1))
	})
}

// The client makes one request an attempt, for every failure. Retries of its own would multiply ours.
func TestOneRequestAnAttempt(t *testing.T) {
	for _, m := range []fault{
		{name: "retriable", code: kerr.NotLeaderForPartition},
		{name: "not enough replicas", code: kerr.NotEnoughReplicas},
		{name: "after append", code: kerr.NotEnoughReplicasAfterAppend},
		{name: "timed out at the broker", code: kerr.RequestTimedOut},
		{name: "unknown topic", code: kerr.UnknownTopicOrPartition},
		{name: "reply lost", lost: true},
	} {
		t.Run(m.name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, n network) {
				b := brokerWith(t, n, 1, func(topic string, _, _ int) fault {
					if topic == invoices {
						return m
					}
					return fault{}
				})
				began := time.Now()
				require.NoError(t, consumeAll(longContext(t), b, 1))
				r := mustInspect(t, b)
				require.NoError(t, r.check(1))
				require.Len(t, r.letters, 1)
				assert.Equal(t, "5", headerOf(r.letters[0], letterAttempts))
				assert.Equal(t, 5, b.faultCounts()[m.name])
				assert.Less(t, time.Since(began), time.Second, "waits other than the policy's")
			})
		})
	}
}

func TestClassification(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err                  error
		permanent, badRecord bool
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
		assert.Equal(t, c.permanent, isPermanent(c.err), "%v", c.err)
		assert.Equal(t, c.badRecord, isBadRecord(c.err), "%v", c.err)
	}
}
