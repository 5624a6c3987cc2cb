package main

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// inVirtualTime runs the test in virtual time, over connections in memory. Timeouts and waits take no time.
func inVirtualTime(t *testing.T, test func(t *testing.T, n network)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n kfake.VirtualNetwork
		test(t, network{listen: n.Listen, dial: n.DialContext})
	})
}

// brokerWith returns a broker that has the given number of orders.
func brokerWith(t *testing.T, n network, orders int, faults func(topic string, order, nth int) fault) *broker {
	t.Helper()
	b, err := newBroker(n, faults)
	require.NoError(t, err)
	t.Cleanup(b.close)
	require.NoError(t, b.placeOrders(t.Context(), orders))
	return b
}

// longContext returns a context that lasts longer than any test, in virtual time.
func longContext(t *testing.T) context.Context {
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

// uncommitted returns how many orders the next consumer reads.
func (r *report) uncommitted() (n int) {
	for p, end := range r.ends {
		n += int(end - max(r.committed[p], 0))
	}
	return n
}

// at returns the record of the order with that number.
func (r *report) at(number int) *kgo.Record {
	for _, o := range r.orders {
		if bytes.Equal(o.Value, orderRecord(number).Value) {
			return o
		}
	}
	return nil
}

// requireNoGaps checks that every order before the committed offsets is settled.
func (r *report) requireNoGaps(t *testing.T) {
	t.Helper()
	sent, put := byKey(r.invoices), byKey(r.letters)
	for _, o := range r.orders {
		if len(sent[origin(o)])+len(put[origin(o)]) == 0 {
			require.LessOrEqual(t, r.committed[o.Partition], o.Offset, origin(o))
		}
	}
}

func noFaults(string, int, int) fault { return fault{} }
