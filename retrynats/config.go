package retrynats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

// Handler works on one message. Its error, or nil, is the outcome of the attempt. The message
// is acknowledged for it: a handler calls none of Ack, Nak and Term.
//
// ctx ends when the context of [Consume] does, or by retry.WithAttemptTimeout. It has no other
// deadline.
type Handler func(ctx context.Context, msg jetstream.Msg) error

// Config says how [Consume] works. The zero value works: one handler at a time, the default
// policy, no dead letters.
//
// Most services set Policy, Workers, DeadLetter and State.
type Config struct {
	// Policy says what is retried and how. It must have no validators, because a handler
	// returns no value.
	// The default is that of package retry: 5 attempts.
	Policy *retry.Policy
	// Workers is how many handlers run at once in this process. A negative number is an error.
	// Keep it below the consumer's MaxAckPending.
	// The default is one.
	Workers int
	// DeadLetter is the subject that a message is published to when it failed for good. It must
	// belong to a stream, and to another one than the consumer's. See [HeaderError] for what
	// is added to the message.
	// The default is none: such a message is terminated and logged, and gone where the stream
	// does not keep it.
	DeadLetter string
	// State keeps the attempts of messages that failed. With it the policy knows how many
	// attempts failed, how long they took and how long they waited, also across processes.
	// Give the bucket a TTL longer than a message may live; entries are removed when their
	// message ends, but a process that is killed then may leave one behind. Several consumers
	// may share a bucket.
	// The default is none: a delivery counts as an attempt, whatever became of it.
	State jetstream.KeyValue
	// Redact returns what may be stored and logged of an error: in State, in dead letters, in
	// the advisories of the server and in every log. Handlers' errors then reach the policy's
	// hooks and classifiers in a wrapper with that text; errors.Is and errors.As see through it,
	// == does not. It must be safe for concurrent use.
	// The default is the error's text, see retry.ErrorText.
	Redact func(err error) string
	// Grace is how long Consume waits for running handlers once its context has ended. It then
	// returns although they run. A negative duration is an error.
	// The default is 0: Consume waits until they return.
	Grace time.Duration
	// Prefetch is how many messages a worker takes in advance, beside the one in its handler.
	// It saves a request a message. The price is exactness: where the process is killed, messages
	// that were taken and not begun count as lost attempts. A negative number is an error.
	// The default is 0.
	Prefetch int
	// Unconfirmed acknowledges successes without waiting until the server confirms it. It saves
	// a round trip a message. An acknowledgement that is lost repeats the message.
	// The default is to wait for the confirmation.
	Unconfirmed bool
	// Logger is told what is out of the ordinary: requests that the server does not answer,
	// state that cannot be read, messages that are dropped. What happens to attempts is logged by
	// the policy, see retry.WithLogger.
	// The default is slog.Default().
	Logger *slog.Logger
}

// fault is one thing that is wrong with what Consume was given.
type fault struct{ field, problem string }

func (f fault) Error() string        { return "retrynats: " + f.field + ": " + f.problem }
func (f fault) Is(target error) bool { return target == retry.ErrOption }

// checkLocal returns what is wrong and can be seen without the server.
func checkLocal(js jetstream.JetStream, consumer jetstream.Consumer, h Handler, cfg *Config) (faults []error) {
	blame := func(wrong bool, field, format string, args ...any) {
		if wrong {
			faults = append(faults, fault{field, fmt.Sprintf(format, args...)})
		}
	}
	blame(js == nil, "Consume", "nil JetStream; make one with jetstream.New")
	blame(consumer == nil, "Consume", "nil Consumer; make one with CreateOrUpdateConsumer")
	blame(h == nil, "Consume", "nil Handler")
	blame(cfg.Workers < 0, "Config.Workers", "%d is negative", cfg.Workers)
	blame(cfg.Grace < 0, "Config.Grace", "%v is negative", cfg.Grace)
	blame(cfg.Prefetch < 0, "Config.Prefetch", "%d is negative", cfg.Prefetch)
	blame(cfg.DeadLetter != "" && !literal(cfg.DeadLetter), "Config.DeadLetter",
		"%q is not a subject without wildcards and blanks", cfg.DeadLetter)
	for _, err := range checkPolicy(cfg.Policy) {
		faults = append(faults, fmt.Errorf("retrynats: Config.Policy: %w", err))
	}
	return faults
}

// checkPolicy returns what keeps the policy from being used for functions without a value.
func checkPolicy(p *retry.Policy) []error {
	// A step without a function runs nothing and says everything that is wrong with it, the
	// missing function last.
	run := p.Start(context.Background())
	run.Try(nil)
	var all interface{ Unwrap() []error }
	if !errors.As(run.Err(), &all) {
		return nil
	}
	faults := all.Unwrap()
	return faults[:len(faults)-1]
}

// literal reports whether messages can be published to the subject.
func literal(subject string) bool {
	for token := range strings.SplitSeq(subject, ".") {
		if token == "" || strings.ContainsAny(token, " \t\r\n*>") {
			return false
		}
	}
	return true
}

// checkConsumer returns what is wrong with how the consumer is set up on the server.
func checkConsumer(info *jetstream.ConsumerInfo, cfg *Config) (faults []error) {
	c := &info.Config
	blame := func(wrong bool, field, format string, args ...any) {
		if wrong {
			problem := fmt.Sprintf("%s: ", c.Name) + fmt.Sprintf(format, args...)
			faults = append(faults, fault{"ConsumerConfig." + field, problem})
		}
	}
	blame(c.AckPolicy != jetstream.AckExplicitPolicy, "AckPolicy",
		"%v loses messages whose process dies; set jetstream.AckExplicitPolicy", c.AckPolicy)
	blame(len(c.BackOff) > 0, "BackOff",
		"%v is added to the policy's waits; leave it empty", c.BackOff)
	blame(c.MaxDeliver > 0, "MaxDeliver",
		"%d ends messages without a dead letter; set -1 and retry.WithMaxAttempts", c.MaxDeliver)
	blame(c.PriorityPolicy != jetstream.PriorityPolicyNone, "PriorityPolicy",
		"priority groups are not supported")
	blame(c.MaxRequestBatch > 0 && cfg.Prefetch >= c.MaxRequestBatch, "MaxRequestBatch",
		"%d is below the %d of Config.Prefetch and one", c.MaxRequestBatch, cfg.Prefetch+1)
	return faults
}

// checkDeadLetter returns what is wrong with the subject of dead letters, nil if nothing is, or an
// error of the request to the server.
func checkDeadLetter(ctx context.Context, js jetstream.JetStream, subject, source string) (wrong, err error) {
	stream, err := js.StreamNameBySubject(ctx, subject)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fault{"Config.DeadLetter", fmt.Sprintf(
			"no stream takes the subject %q; create one", subject)}, nil
	case err != nil:
		return nil, err
	case stream == source:
		return fault{"Config.DeadLetter", fmt.Sprintf(
			"%q belongs to the stream %s that is consumed; dead letters need one of their own", subject, stream)}, nil
	}
	return nil, nil
}
