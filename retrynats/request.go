package retrynats

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

const (
	requestTime = 2 * time.Second // for the answer to one request
	finalTime   = 5 * time.Second // for requests after Consume's context has ended
)

// requestPolicies are the policies of requests to the server.
type requestPolicies struct {
	check, pull, get, put, purge, ack, deadLetter *retry.Policy
}

// newRequestPolicies returns the policies for a consumer with that AckWait. A request that Consume
// cannot go on without is repeated until the server answers.
func newRequestPolicies(log *slog.Logger, ackWait time.Duration) requestPolicies {
	policy := func(name string, opts ...retry.Option) *retry.Policy {
		return retry.MustNew(append([]retry.Option{
			retry.WithName("retrynats: " + name),
			retry.WithMaxAttempts(retry.Unlimited),
			retry.WithAttemptTimeout(requestTime),
			retry.WithBackoff(retry.Exponential(50*time.Millisecond, 2)),
			retry.WithMaxDelay(2 * time.Second),
			retry.WithLogger(log),
		}, opts...)...)
	}
	return requestPolicies{
		check: policy("check"),
		pull:  policy("pull", retry.WithAttemptTimeout(0)), // it waits for a message
		get:   policy("get state"), put: policy("put state"),
		purge: policy("purge state", retry.WithMaxElapsed(time.Minute)), // later the bucket's TTL removes the entry
		// After AckWait the server delivers the message again anyway. An acknowledgement may be lost
		// with its connection, so it is repeated sooner. Repeating one that arrived changes nothing.
		ack: policy("acknowledge", retry.WithMaxElapsed(max(ackWait, finalTime)),
			retry.WithAttemptTimeout(min(max(ackWait/8, 200*time.Millisecond), requestTime))),
		deadLetter: policy("dead letter"),
	}
}

// finalRequest makes a request that must also be made while Consume ends. It makes the request again
// until the server answers, the policy gives up, or finalTime after the end of Consume's context.
func (c *consumption) finalRequest(p *retry.Policy, fn func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(c.endless)
	defer cancel()
	stop := context.AfterFunc(c.ctx, func() { time.AfterFunc(finalTime, cancel) })
	defer stop()
	return c.request(ctx, p, fn)
}

// request makes a request to the server. It makes the request again until the server answers, the
// policy gives up, ctx ends, or the consumer turns out to be gone.
func (c *consumption) request(ctx context.Context, p *retry.Policy, fn func(ctx context.Context) error) error {
	return p.Do(ctx, func(ctx context.Context) error {
		err := fn(ctx)
		if err == nil {
			return nil
		}
		return c.classify(ctx, err)
	})
}

// classify marks err as permanent, and ends Consume, if there is nothing more to consume.
func (c *consumption) classify(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, nats.ErrConnectionClosed):
		c.fail(err)
		return retry.Permanent(err)
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrConsumerDeleted),
		errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		if gone := c.consumerGone(ctx); gone != nil {
			c.fail(gone)
			return retry.Permanent(gone)
		}
	}
	return err
}

// consumerGone returns an error if the server has said three times in a row that the consumer does
// not exist. Once is not enough: a cluster that elects a leader may say so too.
func (c *consumption) consumerGone(ctx context.Context) error {
	_, err := c.info(ctx)
	if !errors.Is(err, jetstream.ErrConsumerNotFound) && !errors.Is(err, jetstream.ErrStreamNotFound) {
		c.missing.Store(0)
		return nil
	}
	if c.missing.Add(1) < 3 {
		return nil
	}
	return err
}
