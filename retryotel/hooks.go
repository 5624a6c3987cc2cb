package retryotel

import (
	"context"

	"github.com/seed-205ff063/retry"
)

// Hooks returns the hooks that record calls. Give them to policies with retry.WithHooks. The same
// hooks serve any number of policies, which are told apart by their names. Give them to a call
// only once, or it counts twice. Hooks that come after them run within their spans.
//
// # Metrics
//
// Every call that ends adds 1 to retry.calls and to the count of each retry.call histogram, also
// if it made no attempt. Invalid options make no call, and nothing is recorded.
//
// # Spans
//
// A call's span is named "retry NAME" after its policy, or "retry". Samplers see "retry", because
// the name is not known yet when the span starts. Its parent is the span in the caller's context.
//   - Each attempt is a child span, "retry.attempt". Its attribute retry.attempt.number counts
//     from 1. It is the parent of the spans that the function makes, also of those made after the
//     attempt has ended, as with [retry.KeepContext].
//   - An attempt that a gate rejected has a span too.
//   - Each wait is an event of the call's span, "retry.wait". It has the number of the attempt that
//     failed and retry.wait.duration in seconds.
//   - A failed attempt has its error as an event and as its status.
//   - When the call ends, its span gets the attributes of retry.calls and retry.call.attempts, the
//     number of attempts. Its status is the text of the call's error.
//
// The text of an error on a span is one line of at most 1 KiB without control characters. An error
// whose methods panic does no harm.
//
// # Calls that do not end
//
// A call whose function panics or ends its goroutine does not end. It is not counted, and its spans
// are not exported. A function that may panic should recover and return retry.Permanent of the
// value, as retrypool does.
//
// A [retry.Run] that is abandoned does not end either: its attempts are recorded, the call is not.
// A call that continues by [retry.Policy.Resume] has a new span. Its attempts and its duration
// include the earlier part.
func (r *Recorder) Hooks() retry.Hooks {
	return retry.Hooks{
		Start:         r.start,
		BeforeAttempt: r.beforeAttempt,
		AfterAttempt:  r.afterAttempt,
		BeforeWait:    r.beforeWait,
		Done:          r.done,
	}
}

func (r *Recorder) start(ctx context.Context) context.Context { return r.startCall(ctx) }

func (r *Recorder) beforeAttempt(ctx context.Context, a retry.Attempt) context.Context {
	if s := r.spansOf(ctx); s != nil {
		return s.startAttempt(ctx, a)
	}
	return ctx
}

func (r *Recorder) afterAttempt(ctx context.Context, a retry.Attempt) {
	r.attemptDuration.Record(ctx, a.Duration.Seconds(), r.policies.get(a.Name).forOutcome(a.Err != nil)...)
	if s := r.spansOf(ctx); s != nil {
		s.endAttempt(ctx, a)
	}
}

func (r *Recorder) beforeWait(ctx context.Context, a retry.Attempt) {
	if s := r.spansOf(ctx); s != nil {
		s.addWait(a)
	}
}

func (r *Recorder) done(ctx context.Context, o retry.Outcome) {
	labels, result, retried := r.policies.get(o.Name), resultOf(ctx, o.Err), 0
	if o.Attempts > 1 {
		retried = 1
	}
	r.calls.Add(ctx, 1, labels.calls[result][retried]...)
	r.callAttempts.Record(ctx, int64(o.Attempts), labels.all...)
	r.callDuration.Record(ctx, o.Elapsed.Seconds(), labels.forOutcome(result != succeeded)...)
	r.callWait.Record(ctx, o.Waited.Seconds(), labels.all...)
	if result == budget {
		r.denials.Add(ctx, 1, labels.denied...)
	}
	if s := r.spansOf(ctx); s != nil {
		s.endCall(o, result)
	}
}
