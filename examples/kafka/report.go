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

// report is what is in the topics.
type report struct {
	orders   []*kgo.Record
	invoices []*kgo.Record
	letters  []*kgo.Record

	committed map[int32]int64 // of the orders' partitions
	ends      map[int32]int64
}

// inspect reads the topics from beginning to end, and the group's offsets.
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

// readAll reads partitions from their beginning to where they ended.
func readAll(ctx context.Context, b *broker, ends map[int32]kadm.ListedOffset) (all []*kgo.Record, err error) {
	from, left := map[string]map[int32]kgo.Offset{}, 0
	for p, end := range ends {
		if from[end.Topic] == nil {
			from[end.Topic] = map[int32]kgo.Offset{}
		}
		from[end.Topic][p] = kgo.NewOffset().AtStart()
		left += int(end.Offset)
	}
	client, err := kgo.NewClient(append(b.options(), kgo.ConsumePartitions(from))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	for len(all) < left {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		all = append(all, fetches.Records()...)
	}
	return all, nil
}

// check says what is not as it must be when a number of orders is settled: all of them are there once
// duplicates are dropped, those of a customer in order, and the group is done with them.
func (r *report) check(want int) error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if len(r.orders) != want {
		fail("%d orders were placed, want %d", len(r.orders), want)
	}
	sent, put := byKey(r.invoices), byKey(r.letters)
	for _, o := range r.orders {
		if len(sent[origin(o)])+len(put[origin(o)]) == 0 {
			fail("%s is neither sent nor put away", origin(o))
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
	for _, first := range firsts(r.invoices) {
		var i invoice
		if err := json.Unmarshal(first.Value, &i); err != nil {
			fail("%s: %w", origin(first), err)
		} else if i.Number < last[i.Customer] {
			fail("%s has the invoice of order %d after that of order %d", i.Customer, i.Number, last[i.Customer])
		} else {
			last[i.Customer] = i.Number
		}
	}
	return errors.Join(errs...)
}

// byKey sorts records by their idempotency keys.
func byKey(records []*kgo.Record) map[string][]*kgo.Record {
	m := map[string][]*kgo.Record{}
	for _, r := range records {
		key := headerOf(r, idempotencyKey)
		m[key] = append(m[key], r)
	}
	return m
}

// firsts is what a reader does that drops duplicates. The keys of a partition are all it has to know.
func firsts(records []*kgo.Record) (first []*kgo.Record) {
	had := map[string]bool{}
	for _, r := range records {
		if key := headerOf(r, idempotencyKey); !had[key] {
			had[key] = true
			first = append(first, r)
		}
	}
	return first
}

// print says what there is.
func (r *report) print(w io.Writer, met map[string]int) {
	fmt.Fprintf(w, "%d orders in %d partitions\n", len(r.orders), len(r.ends))
	for _, name := range slices.Sorted(maps.Keys(met)) {
		fmt.Fprintf(w, "%5d × %s\n", met[name], name)
	}
	fmt.Fprintf(w, "%d invoices in %d records\n", len(firsts(r.invoices)), len(r.invoices))
	letters := firsts(r.letters)
	fmt.Fprintf(w, "%d dead letters in %d records\n", len(letters), len(r.letters))
	for _, l := range letters {
		fmt.Fprintf(w, "  %s of %s, attempts: %s, %s\n",
			headerOf(l, letterOrigin), l.Key, headerOf(l, letterAttempts), headerOf(l, letterError))
	}
	for _, p := range slices.Sorted(maps.Keys(r.ends)) {
		fmt.Fprintf(w, "%s/%d: committed up to %d of %d\n", orders, p, r.committed[p], r.ends[p])
	}
}
