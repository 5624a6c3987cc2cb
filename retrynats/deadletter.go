package retrynats

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

// Headers of a dead letter. A dead letter also has the message's data and headers, except the server's
// own headers (Nats-…).
const (
	// HeaderError is the text of the last attempt's error, redacted by Config.Redact.
	HeaderError = "Retry-Error"
	// HeaderReason says why the message ended. It is the text of retry.Error's Reason without
	// "retry: ", such as "attempts exhausted".
	HeaderReason = "Retry-Reason"
	// HeaderAttempts is how many attempts were made, including lost ones.
	HeaderAttempts = "Retry-Attempts"
	// HeaderElapsed is the time since the first attempt, as time.Duration prints it. Without
	// Config.State it is the time since the message was published.
	HeaderElapsed = "Retry-Elapsed"
	// HeaderStream is the stream of the message.
	HeaderStream = "Retry-Stream"
	// HeaderSequence is the message's sequence in that stream.
	HeaderSequence = "Retry-Sequence"
	// HeaderSubject is the subject to which the message was published.
	HeaderSubject = "Retry-Subject"
	// HeaderConsumer is the consumer whose policy gave up.
	HeaderConsumer = "Retry-Consumer"
)

// deadLetter returns the dead letter of d, which ended with e.
func (c *consumption) deadLetter(d *delivery, e *retry.Error) *nats.Msg {
	letter := &nats.Msg{Subject: c.cfg.DeadLetter, Data: d.msg.Data(), Header: nats.Header{}}
	for name, values := range d.msg.Headers() {
		if len(name) < 5 || !strings.EqualFold(name[:5], "Nats-") {
			letter.Header[name] = values
		}
	}
	for name, value := range map[string]string{
		HeaderError:    c.cfg.text(e.Err),
		HeaderReason:   c.reason(e),
		HeaderAttempts: strconv.Itoa(e.Attempts),
		HeaderElapsed:  e.Elapsed.String(),
		HeaderStream:   d.meta.Stream,
		HeaderSequence: strconv.FormatUint(d.meta.Sequence.Stream, 10),
		HeaderSubject:  d.msg.Subject(),
		HeaderConsumer: d.meta.Consumer,
	} {
		letter.Header.Set(name, value)
	}
	return letter
}

// publish publishes the dead letter and waits until its stream has stored it.
func (c *consumption) publish(letter *nats.Msg) error {
	return c.finalRequest(c.policies.deadLetter, func(ctx context.Context) error {
		_, err := c.js.PublishMsg(ctx, letter)
		if errors.Is(err, jetstream.ErrNoStreamResponse) {
			return storedError("no stream takes " + letter.Subject) // the consumer is not gone
		}
		return err
	})
}

// reason returns the text of e's reason. A reason that came from retry.WithStop is redacted.
func (c *consumption) reason(e *retry.Error) string {
	switch e.Reason {
	case retry.ErrExhausted, retry.ErrMaxElapsed, retry.ErrContext, retry.ErrPermanent, retry.ErrRetryAfter, retry.ErrBudget:
		return strings.TrimPrefix(e.Reason.Error(), "retry: ")
	}
	return strings.TrimPrefix(c.cfg.text(e.Reason), "retry: ")
}
