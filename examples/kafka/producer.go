package main

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-205ff063/retry"
)

// policy is that of an invoice. With WithMaxAttempts(retry.Unlimited) an outage would hold orders up and
// not move them to the dead-letter topic.
var policy = retry.MustNew(
	retry.WithName("invoice"),
	retry.WithMaxAttempts(5),
	retry.WithAttemptTimeout(10*time.Second),
	retry.WithBackoff(retry.Exponential(20*time.Millisecond, 2)),
	retry.WithStopIf(retry.Match(refused)),
)

// letterPolicy is that of a dead letter: after it there is nothing but to stop.
var letterPolicy = retry.MustNew(policy, retry.WithName("dead letter"))

// refused reports whether the broker answered with an error that another attempt meets again. All
// else may pass: what kerr calls retriable, an attempt's timeout, and connections that broke, of
// which the client may say no more than that it has no retries left.
func refused(err error) bool {
	var code *kerr.Error
	return errors.As(err, &code) && !code.Retriable
}

// atFault reports whether it was the record that was refused. An outage of the client's rights or of its
// configuration is refused as well, and would empty the topic into the dead letters.
func atFault(err error) bool {
	for _, code := range []error{
		kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// producer sends records one by one, from any goroutine.
type producer struct{ together, alone *kgo.Client }

func newProducer(options ...kgo.Opt) (*producer, error) {
	options = append([]kgo.Opt{
		// A failed request is reported, not repeated: the attempts are the policy's. What is left to
		// the client in an attempt is to connect and to find the partition's leader, and the attempt's
		// timeout bounds that.
		kgo.RecordRetries(0),
		// Sequence numbers tell the broker the client's own repeats. There are none, and an attempt that
		// timed out would leave a gap in them. Without them the client has one request to a broker
		// on its way at a time, which keeps the order.
		kgo.DisableIdempotentWrite(),
		// Nor are there waits but the policy's.
		kgo.RetryBackoffFn(func(int) time.Duration { return 0 }),
	}, options...)
	together, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	alone, err := kgo.NewClient(append(options, kgo.MaxBufferedRecords(1))...)
	if err != nil {
		together.Close()
		return nil, err
	}
	return &producer{together, alone}, nil
}

// send makes one attempt to send a record. The client makes one batch of what different goroutines send
// to a partition, and a batch is written or refused as a whole: whether this record is the one to blame
// turns out when it is sent alone.
func (p *producer) send(ctx context.Context, r *kgo.Record) error {
	err := produce(ctx, p.together, r)
	if refused(err) {
		err = produce(ctx, p.alone, r)
	}
	return err
}

// produce gives the client a copy, for it writes into what it gets. What the record points to, the encoded
// bytes, is the same in every attempt.
func produce(ctx context.Context, client *kgo.Client, r *kgo.Record) error {
	attempt := *r
	return client.ProduceSync(ctx, &attempt).FirstErr()
}

func (p *producer) close() {
	p.together.Close()
	p.alone.Close()
}
