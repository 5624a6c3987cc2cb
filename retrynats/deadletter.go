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

// Headers of a dead letter, which has the message's data and its headers besides, except those
// of the server (Nats-…).
const (
	// HeaderError is the text of the last attempt's error, as Config.Redact shows it.
	HeaderError = "Retry-Error"
	// HeaderReason says why the message was given up: the text of retry.Error's Reason without
	// "retry: ", such as "attempts exhausted".
	HeaderReason = "Retry-Reason"
	// HeaderAttempts is how many attempts were made, those that were lost included.
	HeaderAttempts = "Retry-Attempts"
	// HeaderElapsed is the time since the first attempt, as time.Duration prints it; without
	// Config.State since the message was published.
	HeaderElapsed = "Retry-Elapsed"
	// HeaderStream is the stream that the message was in.
	HeaderStream = "Retry-Stream"
	// HeaderSequence is the message's sequence in that stream.
	HeaderSequence = "Retry-Sequence"
	// HeaderSubject is the subject that the message was published to.
	HeaderSubject = "Retry-Subject"
	// HeaderConsumer is the consumer that gave it up.
	HeaderConsumer = "Retry-Consumer"
)

// deadLetter is the message that is published for d, which ended by e.
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

// publish stores the dead letter in its stream.
func (c *consumption) publish(letter *nats.Msg) error {
	return c.request(c.policies.letter, func(ctx context.Context) error {
		_, err := c.js.PublishMsg(ctx, letter)
		if errors.Is(err, jetstream.ErrNoStreamResponse) {
			return storedError("no stream takes " + letter.Subject) // not that the consumer is gone
		}
		return err
	})
}

// reason is why e gave up, in words. A reason of the user's own, of retry.WithStop, is redacted.
func (c *consumption) reason(e *retry.Error) string {
	switch e.Reason {
	case retry.ErrExhausted, retry.ErrMaxElapsed, retry.ErrContext, retry.ErrPermanent, retry.ErrRetryAfter, retry.ErrBudget:
		return strings.TrimPrefix(e.Reason.Error(), "retry: ")
	}
	return strings.TrimPrefix(c.cfg.text(e.Reason), "retry: ")
}
