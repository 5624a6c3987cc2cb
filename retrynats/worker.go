package retrynats

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// work is a worker. It takes messages and processes them until Consume ends.
func (c *consumption) work() {
	returned := false
	defer func() {
		if !returned { // a handler called runtime.Goexit: start another worker
			c.workers.Go(c.work)
		}
	}()
	for c.ctx.Err() == nil {
		for _, d := range c.take() {
			c.process(d)
		}
	}
	returned = true
}

// take returns the next messages, which are held from now on. If none come for a while it returns
// none.
func (c *consumption) take() []*delivery {
	var msgs []jetstream.Msg
	err := c.request(c.ctx, c.policies.pull, func(context.Context) (err error) {
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

// pull asks the server for messages. The consumer's own Consume and Messages are of no use here: they
// take more messages than are handled, and each one counts as delivered.
func (c *consumption) pull() ([]jetstream.Msg, error) {
	if c.cfg.Prefetch > 0 {
		batch, err := c.consumer.FetchNoWait(1 + c.cfg.Prefetch)
		if err != nil {
			return nil, err
		}
		if msgs := readAll(batch); len(msgs) > 0 {
			return msgs, nil
		}
	}
	ctx, cancel := context.WithTimeout(c.pullCtx, c.pullTime)
	defer cancel()
	batch, err := c.consumer.Fetch(1, jetstream.FetchContext(ctx))
	if err != nil {
		return nil, ignoreEmpty(err)
	}
	if msgs := readAll(batch); len(msgs) > 0 {
		return msgs, nil
	}
	return nil, ignoreEmpty(batch.Error())
}

// readAll returns the messages of a batch.
func readAll(batch jetstream.MessageBatch) (msgs []jetstream.Msg) {
	for msg := range batch.Messages() {
		msgs = append(msgs, msg)
	}
	return msgs
}

// ignoreEmpty returns err, or nil if it says that there are no messages.
func ignoreEmpty(err error) error {
	switch {
	case errors.Is(err, nats.ErrTimeout), errors.Is(err, jetstream.ErrNoMessages),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return nil
	}
	return err
}
