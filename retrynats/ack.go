package retrynats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ack says that the message is done.
func (c *consumption) ack(d *delivery) error {
	if c.cfg.Unconfirmed {
		return orDone(d.msg.Ack())
	}
	return c.request(c.policies.ack, func(ctx context.Context) error {
		return orDone(d.msg.DoubleAck(ctx))
	})
}

// orDone is err unless it says that the handler has acknowledged the message.
func orDone(err error) error {
	if errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
		return nil
	}
	return err
}

// nak asks for the message again, not sooner than after the delay.
func (c *consumption) nak(d *delivery, delay time.Duration) error {
	if delay <= 0 {
		return c.tell(d, "-NAK")
	}
	return c.tell(d, fmt.Sprintf(`-NAK {"delay": %d}`, delay.Nanoseconds()))
}

// term says that the message is not to be delivered again.
func (c *consumption) term(d *delivery, reason string) error {
	return c.tell(d, strings.TrimSpace("+TERM "+reason))
}

// tell sends what msg.NakWithDelay and msg.TermWithReason would, and waits until the server
// confirms it.
func (c *consumption) tell(d *delivery, what string) error {
	return c.request(c.policies.ack, func(ctx context.Context) error {
		_, err := c.js.Conn().RequestWithContext(ctx, d.msg.Reply(), []byte(what))
		return err
	})
}
