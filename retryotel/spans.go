package retryotel

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-205ff063/retry"
)

// spans are a call's, and the context that the call goes on with: hooks find them there. Hooks of
// one call run one after the other, so there is no lock.
type spans struct {
	context.Context
	recorder *Recorder
	call     trace.Span // nil: the call is not traced
	attempt  trace.Span // nil: none runs
	number   int        // of the attempt
}

// spansKey finds the spans of a recorder's innermost call. Two recorders on one call do not
// take each other's.
type spansKey struct{ recorder *Recorder }

func (s *spans) Value(key any) any {
	if k, ok := key.(spansKey); ok && k.recorder == s.recorder {
		return s
	}
	return s.Context.Value(key)
}

// startSpan begins the call's span and returns the context with it.
func (r *Recorder) startCall(ctx context.Context) context.Context {
	parent := trace.SpanContextFromContext(ctx)
	derived, span := r.tracer.Start(ctx, "retry")
	if !span.SpanContext().Equal(parent) {
		return &spans{Context: derived, recorder: r, call: span}
	}
	// Nobody traces: the API alone gives back the parent, where an SDK makes a span, if only to
	// leave it out of its sample. The attempts need none then.
	if ctx.Value(spansKey{r}) == nil {
		return ctx
	}
	return &spans{Context: ctx, recorder: r} // hides an outer call's
}

// spansOf returns the spans of the call that ctx is of, nil if it is not traced.
func (r *Recorder) spansOf(ctx context.Context) *spans {
	s, _ := ctx.Value(spansKey{r}).(*spans)
	if s == nil || s.call == nil {
		return nil
	}
	return s
}

// startAttempt begins the span of an attempt in ctx, which may have spans of other hooks.
func (s *spans) startAttempt(ctx context.Context, a retry.Attempt) context.Context {
	s.abandonAttempt()
	s.number = a.Number
	ctx, s.attempt = s.recorder.tracer.Start(ctx, "retry.attempt", s.attemptAttributes(a)) //nolint:spancheck // endAttempt ends it
	return ctx
}

// about is what is known of an attempt as it begins.
func (s *spans) attemptAttributes(a retry.Attempt) trace.SpanStartEventOption {
	return trace.WithAttributes(append(nameAttribute(policyKey, a.Name), numberKey.Int(a.Number))...)
}

// endAttempt ends the span of an attempt. One that a gate refused has not begun any.
func (s *spans) endAttempt(ctx context.Context, a retry.Attempt) {
	if s.number != a.Number {
		s.abandonAttempt()
	}
	span := s.attempt
	s.attempt = nil
	if span == nil {
		// By this package's clock: the policy's may be virtual.
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

// wait tells that the wait after a begins.
func (s *spans) addWait(a retry.Attempt) {
	s.call.AddEvent("retry.wait", trace.WithAttributes(
		numberKey.Int(a.Number), waitKey.Float64(a.Delay.Seconds())))
}

// end ends the call's span, and gives it the policy's name, which was not known at its start.
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
