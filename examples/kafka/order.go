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

var errWorthless = errors.New("an order for nothing")

// invoiceOf makes the record that is sent for an order. What is wrong with the order is wrong for good.
func invoiceOf(in *kgo.Record) (*kgo.Record, error) {
	var o order
	if err := json.Unmarshal(in.Value, &o); err != nil {
		return nil, retry.Permanent(fmt.Errorf("not an order: %w", err))
	}
	if o.Cents <= 0 {
		return nil, retry.Permanent(errWorthless)
	}
	value, err := json.Marshal(invoice{order: o, Tax: o.Cents * 19 / 100})
	if err != nil {
		return nil, retry.Permanent(err)
	}
	return &kgo.Record{Topic: invoices, Key: in.Key, Value: value, Headers: identify(in)}, nil
}

// letterOf makes the record that goes to the dead-letter topic: the order as it came, with what
// became of it in further headers.
func letterOf(in *kgo.Record, failure *retry.Error) *kgo.Record {
	headers := append(identify(in), in.Headers...)
	return &kgo.Record{Topic: deadLetters, Key: in.Key, Value: in.Value, Headers: append(headers,
		header(letterError, failure.Err.Error()),
		header(letterAttempts, strconv.Itoa(failure.Attempts)),
		header(letterOrigin, origin(in)))}
}

// identify makes the headers of what is made of a record. The key is derived and not drawn, so
// that it is the same when the record is read again. Where a topic may be deleted and made anew its
// offsets come again; its ID then belongs to the key.
func identify(in *kgo.Record) []kgo.RecordHeader {
	return []kgo.RecordHeader{header(idempotencyKey, origin(in))}
}

// origin says where a record is from.
func origin(r *kgo.Record) string { return fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset) }

func header(key, value string) kgo.RecordHeader {
	return kgo.RecordHeader{Key: key, Value: []byte(value)}
}

// headerOf returns the last header of a name: what was added later counts.
func headerOf(r *kgo.Record, key string) string {
	value := ""
	for _, h := range r.Headers {
		if h.Key == key {
			value = string(h.Value)
		}
	}
	return value
}
