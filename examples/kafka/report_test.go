package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The check notices every kind of mistake.
func TestCheck(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 60, noFaults)
		require.NoError(t, consumeAll(longContext(t), b, 60))
		for want, change := range map[string]func(r *report){
			"":                       func(*report) {},
			"59 orders were placed":  func(r *report) { r.orders = r.orders[1:] },
			"has neither an invoice": func(r *report) { r.invoices = r.invoices[1:] },
			`invoice of "", which`:   func(r *report) { r.invoices = append(r.invoices, orderRecord(1)) },
			`dead letter of "x/1/2"`: func(r *report) { r.letters[0].Headers = []kgo.RecordHeader{header(idempotencyKey, "x/1/2")} },
			"committed up to 0":      func(r *report) { r.committed[1] = 0 },
			"after the one of order": func(r *report) { slices.Reverse(r.invoices) },
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
