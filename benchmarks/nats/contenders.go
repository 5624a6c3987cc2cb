package main

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

const pause = 10 * time.Millisecond // the wait after a failed attempt

// contender is a way to consume messages.
type contender struct {
	name    string
	ours    bool
	backOff []time.Duration // for the consumer's configuration
	// consume consumes until ctx ends.
	consume func(ctx context.Context, b *broker, c jetstream.Consumer, workers int, h retrynats.Handler) error
}

// contenders returns what is compared. The others are compared with the first.
func contenders() []contender {
	policy := retry.MustNew(retry.WithMaxAttempts(20), retry.WithBackoff(retry.Constant(pause)))
	ours := func(change func(*broker, *retrynats.Config)) func(context.Context, *broker, jetstream.Consumer, int, retrynats.Handler) error {
		return func(ctx context.Context, b *broker, c jetstream.Consumer, workers int, h retrynats.Handler) error {
			cfg := retrynats.Config{Policy: policy, Workers: workers}
			change(b, &cfg)
			return retrynats.Consume(ctx, b.js, c, h, cfg)
		}
	}
	return []contender{
		{name: "Consume, Ack, NakWithDelay", consume: callbacks(ack, nakWithDelay)},
		{name: "Consume, Ack, BackOff of the consumer", backOff: []time.Duration{pause}, consume: callbacks(ack, leave)},
		{name: "Consume, DoubleAck, NakWithDelay", consume: callbacks(doubleAck, nakWithDelay)},
		{name: "Next, DoubleAck, NakWithDelay", consume: nexts},
		{name: "retrynats", ours: true, consume: ours(func(*broker, *retrynats.Config) {})},
		{name: "retrynats, State", ours: true, consume: ours(func(b *broker, c *retrynats.Config) { c.State = b.state })},
		{name: "retrynats, State, Unconfirmed", ours: true, consume: ours(func(b *broker, c *retrynats.Config) {
			c.State, c.Unconfirmed = b.state, true
		})},
		{name: "retrynats, State, Unconfirmed, Prefetch 20", ours: true, consume: ours(func(b *broker, c *retrynats.Config) {
			c.State, c.Unconfirmed, c.Prefetch = b.state, true, 20
		})},
	}
}

func ack(_ context.Context, msg jetstream.Msg) error          { return msg.Ack() }
func doubleAck(ctx context.Context, msg jetstream.Msg) error  { return msg.DoubleAck(ctx) }
func nakWithDelay(_ context.Context, msg jetstream.Msg) error { return msg.NakWithDelay(pause) }
func leave(context.Context, jetstream.Msg) error              { return nil } // the server sends it again after BackOff

// callbacks is a hand-written pool behind the client's Consume, which fetches messages in advance.
func callbacks(done, failed func(context.Context, jetstream.Msg) error) func(context.Context, *broker, jetstream.Consumer, int, retrynats.Handler) error {
	return func(ctx context.Context, _ *broker, c jetstream.Consumer, workers int, h retrynats.Handler) error {
		msgs := make(chan jetstream.Msg)
		var pool sync.WaitGroup
		for range workers {
			pool.Go(func() {
				for msg := range msgs {
					settle := done
					if h(ctx, msg) != nil {
						settle = failed
					}
					_ = settle(context.WithoutCancel(ctx), msg)
				}
			})
		}
		consuming, err := c.Consume(func(msg jetstream.Msg) { msgs <- msg })
		if err != nil {
			return err
		}
		<-ctx.Done()
		consuming.Stop()
		<-consuming.Closed()
		close(msgs)
		pool.Wait()
		return nil
	}
}

// nexts is hand-written too: each worker asks for one message at a time.
func nexts(ctx context.Context, _ *broker, c jetstream.Consumer, workers int, h retrynats.Handler) error {
	var pool sync.WaitGroup
	for range workers {
		pool.Go(func() {
			for ctx.Err() == nil {
				msg, err := c.Next(jetstream.FetchContext(ctx))
				if err != nil {
					continue
				}
				settle := doubleAck
				if h(ctx, msg) != nil {
					settle = nakWithDelay
				}
				_ = settle(context.WithoutCancel(ctx), msg)
			}
		})
	}
	pool.Wait()
	return nil
}
