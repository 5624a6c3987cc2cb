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
	partingTime = 5 * time.Second // for what is still to be said once Consume's context has ended
)

// policies are those of the requests to the server.
type policies struct {
	check, pull, get, put, purge, ack, letter *retry.Policy
}

// newPolicies returns them for a consumer with that AckWait. Requests that nothing goes on
// without are repeated until they are answered.
func newPolicies(log *slog.Logger, ackWait time.Duration) policies {
	of := func(name string, opts ...retry.Option) *retry.Policy {
		return retry.MustNew(append([]retry.Option{
			retry.WithName("retrynats: " + name),
			retry.WithMaxAttempts(retry.Unlimited),
			retry.WithAttemptTimeout(requestTime),
			retry.WithBackoff(retry.Exponential(50*time.Millisecond, 2)),
			retry.WithMaxDelay(2 * time.Second),
			retry.WithLogger(log),
		}, opts...)...)
	}
	return policies{
		check: of("check"),
		pull:  of("pull", retry.WithAttemptTimeout(0)), // it takes what it takes to wait for a message
		get:   of("get state"), put: of("put state"),
		purge: of("purge state", retry.WithMaxElapsed(time.Minute)), // the bucket's TTL does it too
		// After AckWait the message is delivered again whatever comes of it: one that was lost
		// with a connection is to be repeated sooner. To repeat one that was not changes nothing.
		ack: of("acknowledge", retry.WithMaxElapsed(max(ackWait, partingTime)),
			retry.WithAttemptTimeout(min(max(ackWait/8, 200*time.Millisecond), requestTime))),
		letter: of("dead letter"),
	}
}

// request makes a request to the server that is to be made also when Consume ends. It is made
// again until it is answered, the policy gives up, or Consume's context has ended some time ago.
func (c *consumption) request(p *retry.Policy, fn func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(c.life)
	defer cancel()
	stop := context.AfterFunc(c.ctx, func() { time.AfterFunc(partingTime, cancel) })
	defer stop()
	return c.ask(ctx, p, fn)
}

// ask makes a request to the server, again and again until it is answered, the policy gives
// up, ctx ends, or the consumer turns out to be gone.
func (c *consumption) ask(ctx context.Context, p *retry.Policy, fn func(ctx context.Context) error) error {
	return p.Do(ctx, func(ctx context.Context) error {
		err := fn(ctx)
		if err == nil {
			return nil
		}
		return c.examine(ctx, err)
	})
}

// examine ends Consume where err says that there is nothing more to consume.
func (c *consumption) examine(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, nats.ErrConnectionClosed):
		c.fail(err)
		return retry.Permanent(err)
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrConsumerDeleted),
		errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		if gone := c.gone(ctx); gone != nil {
			c.fail(gone)
			return retry.Permanent(gone)
		}
	}
	return err
}

// gone returns an error if the server has said several times in a row that the consumer does not
// exist. Once is not enough: a cluster that elects a leader may say so too.
func (c *consumption) gone(ctx context.Context) error {
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
