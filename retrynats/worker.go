package retrynats

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// work takes messages and works on them until Consume ends.
func (c *consumption) work() {
	returned := false
	defer func() {
		if !returned { // a handler ended the goroutine by runtime.Goexit
			c.workers.Go(c.work)
		}
	}()
	for c.ctx.Err() == nil {
		for _, d := range c.take() {
			c.deliver(d)
		}
	}
	returned = true
}

// take returns the next messages, none if there are none for a while. From then on they are held.
func (c *consumption) take() []*delivery {
	var msgs []jetstream.Msg
	err := c.ask(c.ctx, c.policies.pull, func(context.Context) (err error) {
		if c.ctx.Err() == nil {
			msgs, err = c.pull()
		}
		return err
	})
	if err != nil {
		return nil // Consume ends
	}
	deliveries := make([]*delivery, 0, len(msgs))
	for _, msg := range msgs {
		meta, err := msg.Metadata()
		if err != nil {
			c.log.Error("retrynats: not a message of JetStream", "error", err.Error())
			continue
		}
		d := &delivery{msg: msg, meta: meta}
		c.held.add(d)
		deliveries = append(deliveries, d)
	}
	return deliveries
}

// pull asks the server for messages. It uses neither Consume nor Messages of the consumer: they
// take more than are being worked on, and each counts as delivered.
func (c *consumption) pull() ([]jetstream.Msg, error) {
	if c.cfg.Prefetch > 0 {
		batch, err := c.consumer.FetchNoWait(1 + c.cfg.Prefetch)
		if err != nil {
			return nil, err
		}
		if msgs := drain(batch); len(msgs) > 0 {
			return msgs, nil
		}
	}
	ctx, cancel := context.WithTimeout(c.pulls, c.pullTime)
	defer cancel()
	batch, err := c.consumer.Fetch(1, jetstream.FetchContext(ctx))
	if err != nil {
		return nil, idle(err)
	}
	if msgs := drain(batch); len(msgs) > 0 {
		return msgs, nil
	}
	return nil, idle(batch.Error())
}

func drain(batch jetstream.MessageBatch) (msgs []jetstream.Msg) {
	for msg := range batch.Messages() {
		msgs = append(msgs, msg)
	}
	return msgs
}

// idle is err unless it says that there were no messages.
func idle(err error) error {
	switch {
	case errors.Is(err, nats.ErrTimeout), errors.Is(err, jetstream.ErrNoMessages),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return nil
	}
	return err
}
