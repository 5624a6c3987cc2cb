package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-205ff063/retry"
)

const (
	orders      = "orders" // topics
	invoices    = "invoices"
	deadLetters = "orders.dead"

	idempotencyKey = "idempotency-key" // headers
	letterError    = "error"
	letterAttempts = "attempts"
	letterOrigin   = "origin"
)

type order struct {
	Number   int    `json:"order"`
	Customer string `json:"customer"`
	Cents    int64  `json:"cents"`
}

type invoice struct {
	order
	Tax int64 `json:"tax"`
}

var errZeroAmount = errors.New("an order for nothing")

// invoiceOf returns the record of an order's invoice. Its errors are permanent.
func invoiceOf(in *kgo.Record) (*kgo.Record, error) {
	var o order
	if err := json.Unmarshal(in.Value, &o); err != nil {
		return nil, retry.Permanent(fmt.Errorf("not an order: %w", err))
	}
	if o.Cents <= 0 {
		return nil, retry.Permanent(errZeroAmount)
	}
	value, err := json.Marshal(invoice{order: o, Tax: o.Cents * 19 / 100})
	if err != nil {
		return nil, retry.Permanent(err)
	}
	return &kgo.Record{Topic: invoices, Key: in.Key, Value: value, Headers: identify(in)}, nil
}

// letterOf returns the dead letter of a record. It has the key, the value and the headers of the record, and
// headers with the failure.
func letterOf(in *kgo.Record, failure *retry.Error) *kgo.Record {
	headers := append(identify(in), in.Headers...)
	return &kgo.Record{Topic: deadLetters, Key: in.Key, Value: in.Value, Headers: append(headers,
		header(letterError, failure.Err.Error()),
		header(letterAttempts, strconv.Itoa(failure.Attempts)),
		header(letterOrigin, origin(in)))}
}

// identify returns the header with a record's idempotency key. The key is the record's origin and not
// random, so it is the same when the record is read again. If a topic may be deleted and created again, its
// offsets repeat: then the topic's ID belongs into the key too.
func identify(in *kgo.Record) []kgo.RecordHeader {
	return []kgo.RecordHeader{header(idempotencyKey, origin(in))}
}

// origin returns a record's topic, partition and offset.
func origin(r *kgo.Record) string { return fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset) }

func header(key, value string) kgo.RecordHeader {
	return kgo.RecordHeader{Key: key, Value: []byte(value)}
}

// headerOf returns the value of the last header with that name: a later header replaces an earlier one.
func headerOf(r *kgo.Record, key string) string {
	value := ""
	for _, h := range r.Headers {
		if h.Key == key {
			value = string(h.Value)
		}
	}
	return value
}
