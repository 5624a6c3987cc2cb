package retryotel

import (
	"context"

	"github.com/seed-205ff063/retry"
)

// Hooks returns the hooks that record the calls of the policies they are given to, by
// retry.WithHooks. The same ones serve any number of policies, which differ by their names;
// give them to a call once, or it counts twice. Where there are other hooks, those that come
// later run within the spans of these.
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
