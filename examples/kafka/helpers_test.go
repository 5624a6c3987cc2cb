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
