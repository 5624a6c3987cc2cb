package retryotel

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-205ff063/retry"
)

// spans holds the spans of a call. It is also the context that the call goes on with, so that
// hooks find it there. The hooks of one call run one after the other, so there is no lock.
type spans struct {
	context.Context
	recorder *Recorder
	call     trace.Span // nil: the call is not traced
	attempt  trace.Span // nil: no attempt runs
	number   int        // of the attempt
}

// spansKey is the context key of a recorder's innermost call. It has the recorder, so that two
// recorders on one call find their own spans.
type spansKey struct{ recorder *Recorder }

func (s *spans) Value(key any) any {
	if k, ok := key.(spansKey); ok && k.recorder == s.recorder {
		return s
	}
	return s.Context.Value(key)
}

// startCall starts the call's span and returns the context with it.
func (r *Recorder) startCall(ctx context.Context) context.Context {
	parent := trace.SpanContextFromContext(ctx)
	derived, span := r.tracer.Start(ctx, "retry")
	if !span.SpanContext().Equal(parent) {
		return &spans{Context: derived, recorder: r, call: span}
	}
	// There is no tracing: without an SDK the API returns the parent span. An SDK makes a new
	// span even if it does not sample it. The attempts need no spans then.
	if ctx.Value(spansKey{r}) == nil {
		return ctx
	}
	return &spans{Context: ctx, recorder: r} // hides the spans of an outer call
}

// spansOf returns the spans of the call that ctx belongs to, nil if it is not traced.
func (r *Recorder) spansOf(ctx context.Context) *spans {
	s, _ := ctx.Value(spansKey{r}).(*spans)
	if s == nil || s.call == nil {
		return nil
	}
	return s
}

// startAttempt starts the span of an attempt. ctx may have spans of other hooks.
func (s *spans) startAttempt(ctx context.Context, a retry.Attempt) context.Context {
	s.abandonAttempt()
	s.number = a.Number
	ctx, s.attempt = s.recorder.tracer.Start(ctx, "retry.attempt", s.attemptAttributes(a)) //nolint:spancheck // endAttempt ends it
	return ctx
}

// attemptAttributes returns the attributes that an attempt's span has from its start.
func (s *spans) attemptAttributes(a retry.Attempt) trace.SpanStartEventOption {
	return trace.WithAttributes(append(nameAttribute(policyKey, a.Name), numberKey.Int(a.Number))...)
}

// endAttempt ends the span of an attempt. If a gate rejected the attempt there is no span yet, and
// endAttempt makes one.
func (s *spans) endAttempt(ctx context.Context, a retry.Attempt) {
	if s.number != a.Number {
		s.abandonAttempt()
	}
	span := s.attempt
	s.attempt = nil
	if span == nil {
		// By the real clock, since the policy's clock may be virtual.
		start := trace.WithTimestamp(time.Now().Add(-a.Duration))
		_, span = s.recorder.tracer.Start(ctx, "retry.attempt", s.attemptAttributes(a), start)
	}
	span.SetAttributes(outcomeAttribute(a.Err != nil))
	if a.Err != nil {
		recordError(span, a.Err)
		span.SetStatus(codes.Error, retry.ErrorText(a.Err))
	}
	span.End()
}

// abandonAttempt ends the span of an attempt whose function panicked, in a Run that goes on.
func (s *spans) abandonAttempt() {
	if s.attempt == nil {
		return
	}
	s.attempt.SetStatus(codes.Error, "the function did not return")
	s.attempt.End()
	s.attempt = nil
}

// addWait records the start of the wait after a.
func (s *spans) addWait(a retry.Attempt) {
	s.call.AddEvent("retry.wait", trace.WithAttributes(
		numberKey.Int(a.Number), waitKey.Float64(a.Delay.Seconds())))
}

// endCall ends the call's span. It sets the name, which was not known at the start.
func (s *spans) endCall(o retry.Outcome, result callResult) {
	s.abandonAttempt()
	if o.Name != "" {
		s.call.SetName("retry " + o.Name)
	}
	s.call.SetAttributes(append(callAttributes(o.Name, result, o.Attempts > 1), attemptsKey.Int(o.Attempts))...)
	if o.Err != nil {
		s.call.SetStatus(codes.Error, retry.ErrorText(o.Err))
	}
	s.call.End()
}
