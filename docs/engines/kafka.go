package engines

import (
	"context"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-205ff063/retry"
)

// Headers of a record in the retry topic.
const (
	headerAttempt = "retry-attempt"
	headerDue     = "retry-due" // Unix milliseconds
)

// HandleRecord makes one attempt. It returns the record to produce before the offset is committed:
// one for the retry topic, one for the dead letters, or nil after a success.
func HandleRecord(ctx context.Context, p *retry.Policy, r *kgo.Record, fn func(context.Context, *kgo.Record) error) *kgo.Record {
	n, _ := strconv.Atoi(header(r, headerAttempt))
	run := p.Resume(ctx, retry.Attempt{Number: n})
	wait, again := run.Try(func(ctx context.Context) error { return fn(ctx, r) })
	next := &kgo.Record{Key: r.Key, Value: r.Value, Topic: "orders.retry"}
	switch {
	case again:
		next.Headers = []kgo.RecordHeader{
			{Key: headerAttempt, Value: strconv.AppendInt(nil, int64(run.Last().Number), 10)},
			{Key: headerDue, Value: strconv.AppendInt(nil, time.Now().Add(wait).UnixMilli(), 10)},
		}
		return next
	case run.Err() != nil:
		next.Topic = "orders.dead"
		next.Headers = []kgo.RecordHeader{{Key: "error", Value: []byte(retry.ErrorText(run.Err()))}}
		return next
	}
	return nil
}

// Due returns when to handle a record of the retry topic. Until then the consumer pauses the
// partition.
func Due(r *kgo.Record) time.Time {
	ms, _ := strconv.ParseInt(header(r, headerDue), 10, 64)
	return time.UnixMilli(ms)
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
