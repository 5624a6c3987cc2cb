package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// report is the contents of the topics.
type report struct {
	orders   []*kgo.Record
	invoices []*kgo.Record
	letters  []*kgo.Record

	committed map[int32]int64 // offset by partition of the orders
	ends      map[int32]int64
}

// inspect reads all records of the topics, and the group's offsets.
func inspect(ctx context.Context, b *broker) (*report, error) {
	client, err := kgo.NewClient(b.options()...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	r := &report{committed: map[int32]int64{}, ends: map[int32]int64{}}
	admin := kadm.NewClient(client)
	ends, err := admin.ListEndOffsets(ctx, orders, invoices, deadLetters)
	if err != nil {
		return nil, err
	}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Topic == orders {
			r.ends[o.Partition] = o.Offset
		}
	})
	committed, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return nil, err
	}
	committed.Each(func(o kadm.OffsetResponse) { r.committed[o.Partition] = o.At })

	for topic, records := range map[string]*[]*kgo.Record{orders: &r.orders, invoices: &r.invoices, deadLetters: &r.letters} {
		if *records, err = readAll(ctx, b, ends[topic]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// readAll reads partitions from the beginning to the given ends.
func readAll(ctx context.Context, b *broker, ends map[int32]kadm.ListedOffset) (all []*kgo.Record, err error) {
	from, uncommitted := map[string]map[int32]kgo.Offset{}, 0
	for p, end := range ends {
		if from[end.Topic] == nil {
			from[end.Topic] = map[int32]kgo.Offset{}
		}
		from[end.Topic][p] = kgo.NewOffset().AtStart()
		uncommitted += int(end.Offset)
	}
	client, err := kgo.NewClient(append(b.options(), kgo.ConsumePartitions(from))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	for len(all) < uncommitted {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		all = append(all, fetches.Records()...)
	}
	return all, nil
}

// check returns an error unless that many orders are settled: each has an invoice or a dead letter, the
// invoices of a customer are in order once duplicates are dropped, and the offsets are committed.
func (r *report) check(want int) error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if len(r.orders) != want {
		fail("%d orders were placed, want %d", len(r.orders), want)
	}
	sent, put := byKey(r.invoices), byKey(r.letters)
	for _, o := range r.orders {
		if len(sent[origin(o)])+len(put[origin(o)]) == 0 {
			fail("%s has neither an invoice nor a dead letter", origin(o))
		}
		delete(sent, origin(o))
		delete(put, origin(o))
	}
	for key := range sent {
		fail("there is an invoice of %q, which is no order", key)
	}
	for key := range put {
		fail("there is a dead letter of %q, which is no order", key)
	}
	for p, end := range r.ends {
		if r.committed[p] != end {
			fail("%s/%d: committed up to %d, want %d", orders, p, r.committed[p], end)
		}
	}
	last := map[string]int{}
	for _, first := range withoutDuplicates(r.invoices) {
		var i invoice
		if err := json.Unmarshal(first.Value, &i); err != nil {
			fail("%s: %w", origin(first), err)
		} else if i.Number < last[i.Customer] {
			fail("%s has the invoice of order %d after the one of order %d", i.Customer, i.Number, last[i.Customer])
		} else {
			last[i.Customer] = i.Number
		}
	}
	return errors.Join(errs...)
}

// byKey groups records by idempotency key.
func byKey(records []*kgo.Record) map[string][]*kgo.Record {
	m := map[string][]*kgo.Record{}
	for _, r := range records {
		key := headerOf(r, idempotencyKey)
		m[key] = append(m[key], r)
	}
	return m
}

// withoutDuplicates drops records whose idempotency key came before, as a reader of the topic does. The
// keys of a partition are all that a reader must remember.
func withoutDuplicates(records []*kgo.Record) (first []*kgo.Record) {
	counts := map[string]bool{}
	for _, r := range records {
		if key := headerOf(r, idempotencyKey); !counts[key] {
			counts[key] = true
			first = append(first, r)
		}
	}
	return first
}

// print prints the report.
func (r *report) print(w io.Writer, faultCounts map[string]int) {
	fmt.Fprintf(w, "%d orders in %d partitions\n", len(r.orders), len(r.ends))
	for _, name := range slices.Sorted(maps.Keys(faultCounts)) {
		fmt.Fprintf(w, "%5d × %s\n", faultCounts[name], name)
	}
	fmt.Fprintf(w, "%d invoices in %d records\n", len(withoutDuplicates(r.invoices)), len(r.invoices))
	letters := withoutDuplicates(r.letters)
	fmt.Fprintf(w, "%d dead letters in %d records\n", len(letters), len(r.letters))
	for _, l := range letters {
		fmt.Fprintf(w, "  %s of %s, attempts: %s, %s\n",
			headerOf(l, letterOrigin), l.Key, headerOf(l, letterAttempts), headerOf(l, letterError))
	}
	for _, p := range slices.Sorted(maps.Keys(r.ends)) {
		fmt.Fprintf(w, "%s/%d: committed up to %d of %d\n", orders, p, r.committed[p], r.ends[p])
	}
}
