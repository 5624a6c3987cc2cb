package retrynats

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

// Handler handles one message. What it returns is the outcome of the attempt. [Consume] acknowledges
// the message, so a handler does not call Ack, Nak or Term.
//
// ctx ends when the context of Consume does, or by retry.WithAttemptTimeout. It has no other
// deadline.
type Handler func(ctx context.Context, msg jetstream.Msg) error

// Config says how [Consume] works. The zero value is ready to use: one handler at a time, the policy
// of package retry, no dead letters.
//
// Most services set Policy, Workers, DeadLetter and State.
type Config struct {
	// Policy says what is retried and how. It must not have validators, because a handler
	// returns no value.
	// The default is the policy of package retry: 5 attempts.
	Policy *retry.Policy
	// Workers is how many handlers run at once in this process. A negative number is an error.
	// Keep it below the consumer's MaxAckPending.
	// The default is one.
	Workers int
	// DeadLetter is the subject to which a message is published if it failed for good. It must
	// belong to a stream other than the consumer's. See [HeaderError] for what is added to the
	// message.
	// The default is none: the message is terminated and logged. It is gone unless its stream
	// keeps it.
	DeadLetter string
	// State keeps the attempts of messages that failed. The policy then knows, in every process,
	// how many attempts failed, how long they took and how long they waited.
	// Give the bucket a TTL above the longest life of a message. An entry is removed when its
	// message ends, but a process that is killed then may leave one behind. Set LimitMarkerTTL
	// too, so that removed entries leave nothing behind. Several consumers may share a bucket.
	// The default is none: each delivery counts as an attempt, however it ended.
	State jetstream.KeyValue
	// Redact returns the text that may be stored and logged of an error: in State, in dead
	// letters, in the server's advisories and in every log. The policy's hooks and classifiers
	// see the error in a wrapper with that text. errors.Is and errors.As see through the
	// wrapper; == does not. Redact must be safe for concurrent use.
	// The default is retry.ErrorText.
	Redact func(err error) string
	// Grace is how long Consume waits for running handlers after its context has ended. Then it
	// returns while they still run. A negative duration is an error.
	// The default is 0: Consume waits until they return.
	Grace time.Duration
	// Prefetch is how many messages a worker takes in advance, beside the one in its handler.
	// It saves a request for each message. If the process is killed, messages that were taken
	// and not begun count as lost attempts. A negative number is an error.
	// The default is 0.
	Prefetch int
	// Unconfirmed acknowledges successes without waiting for the server's confirmation. It saves
	// a round trip for each message. If an acknowledgement is lost, the message is repeated.
	// The default is to wait for the confirmation.
	Unconfirmed bool
	// Logger gets what is unusual: requests without an answer, state that cannot be read,
	// messages that are dropped. The policy logs what happens to attempts, see
	// retry.WithLogger.
	// The default is slog.Default().
	Logger *slog.Logger
}

// configError is one error in the arguments of Consume.
type configError struct{ field, problem string }

func (e configError) Error() string        { return "retrynats: " + e.field + ": " + e.problem }
func (e configError) Is(target error) bool { return target == retry.ErrOption }
