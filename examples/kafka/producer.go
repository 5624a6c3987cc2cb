package main

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-205ff063/retry"
)

// policy is for invoices. In a long outage the orders become dead letters. With
// WithMaxAttempts(retry.Unlimited) they would wait instead.
var policy = retry.MustNew(
	retry.WithName("invoice"),
	retry.WithMaxAttempts(5),
	retry.WithAttemptTimeout(10*time.Second),
	retry.WithBackoff(retry.Exponential(20*time.Millisecond, 2)),
	retry.WithStopIf(retry.Match(isPermanent)),
)

// letterPolicy is for dead letters. If it gives up, the consumer stops.
var letterPolicy = retry.MustNew(policy, retry.WithName("dead letter"))

// isPermanent reports whether the broker's error would meet another attempt too. All other errors are
// transient: those that kerr calls retriable, timeouts of attempts, and broken connections. For the last
// the client may only say that it has no retries left.
func isPermanent(err error) bool {
	var code *kerr.Error
	return errors.As(err, &code) && !code.Retriable
}

// isBadRecord reports whether the broker refused the record itself. It also refuses records when the client
// has no rights or a wrong configuration, and then all orders would become dead letters.
func isBadRecord(err error) bool {
	for _, code := range []error{
		kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// producer sends records. It is safe for concurrent use.
type producer struct {
	batched *kgo.Client
	single  *kgo.Client // one record a batch
}

func newProducer(options ...kgo.Opt) (*producer, error) {
	options = append([]kgo.Opt{
		// The client reports a failed request and does not repeat it: the policy makes the attempts.
		// Within an attempt the client connects and finds the partition's leader. The attempt's timeout
		// limits that.
		kgo.RecordRetries(0),
		// Sequence numbers let the broker recognize the client's own retries. There are none, and an
		// attempt that timed out would leave a gap. Without them the client sends one request at a time
		// to a broker, which keeps the order.
		kgo.DisableIdempotentWrite(),
		// All waits are the policy's.
		kgo.RetryBackoffFn(func(int) time.Duration { return 0 }),
	}, options...)
	batched, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	single, err := kgo.NewClient(append(options, kgo.MaxBufferedRecords(1))...)
	if err != nil {
		batched.Close()
		return nil, err
	}
	return &producer{batched, single}, nil
}

// send makes one attempt to send a record. The client puts the records of different goroutines into one
// batch, and the broker accepts or refuses a batch as a whole. After a refusal send sends the record alone,
// which shows whether it is the bad one.
func (p *producer) send(ctx context.Context, r *kgo.Record) error {
	err := produce(ctx, p.batched, r)
	if isPermanent(err) {
		err = produce(ctx, p.single, r)
	}
	return err
}

// produce gives the client a copy of the record, because the client changes it. The encoded bytes are the
// same in every attempt.
func produce(ctx context.Context, client *kgo.Client, r *kgo.Record) error {
	attempt := *r
	return client.ProduceSync(ctx, &attempt).FirstErr()
}

func (p *producer) close() {
	p.batched.Close()
	p.single.Close()
}
