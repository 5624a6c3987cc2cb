package retrynats

import (
	"context"
	"log/slog"
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

func (f fault) Error() string { return "retrynats: " + f.field + ": " + f.problem }

func (f fault) Is(target error) bool { return target == retry.ErrOption }
