package retrynats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ack acknowledges the message.
func (c *consumption) ack(d *delivery) error {
	if c.cfg.Unconfirmed {
		return ignoreAcked(d.msg.Ack())
	}
	return c.finalRequest(c.policies.ack, func(ctx context.Context) error {
		return ignoreAcked(d.msg.DoubleAck(ctx))
	})
}

// ignoreAcked returns err, or nil if the handler has acknowledged the message itself.
func ignoreAcked(err error) error {
	if errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
		return nil
	}
	return err
}

// nak asks for the message again, no sooner than after the delay.
func (c *consumption) nak(d *delivery, delay time.Duration) error {
	if delay <= 0 {
		return c.confirmedAck(d, "-NAK")
	}
	return c.confirmedAck(d, fmt.Sprintf(`-NAK {"delay": %d}`, delay.Nanoseconds()))
}

// term terminates the message: it is not delivered again.
func (c *consumption) term(d *delivery, reason string) error {
	return c.confirmedAck(d, strings.TrimSpace("+TERM "+reason))
}

// confirmedAck sends an acknowledgement as msg.NakWithDelay and msg.TermWithReason do. Unlike those
// it waits until the server confirms it.
func (c *consumption) confirmedAck(d *delivery, text string) error {
	return c.finalRequest(c.policies.ack, func(ctx context.Context) error {
		_, err := c.js.Conn().RequestWithContext(ctx, d.msg.Reply(), []byte(text))
		return err
	})
}
