package retryotel_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryotel"
	"github.com/seed-205ff063/retry/retrytest"
)

// The spans of an inner call are children of the outer call's attempt. Each call ends its own spans.
func TestNested(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	opts := k.options(retry.WithMaxAttempts(2), retry.WithBackoff(retry.Constant(0)))
	outer := retry.MustNew(append(opts, retry.WithName("outer"))...)
	inner := retry.MustNew(append(opts, retry.WithName("inner"))...)
	err := outer.Do(t.Context(), func(ctx context.Context) error {
		return inner.Do(ctx, func(context.Context) error { return errDown })
	})
	require.Error(t, err)
	k.assertSpansEnded(t)
	k.figures(t).assertAddUp(t)
	names := map[string]int{}
	byID := map[trace.SpanID]sdktrace.ReadOnlySpan{}
	for _, s := range k.spans.Ended() {
		names[s.Name()]++
		byID[s.SpanContext().SpanID()] = s
	}
	assert.Equal(t, map[string]int{"retry outer": 1, "retry inner": 2, "retry.attempt": 6}, names)
	for _, s := range k.spans.Ended() {
		if s.Name() == "retry inner" {
			attempt := byID[s.Parent().SpanID()]
			assert.Equal(t, "retry.attempt", attempt.Name())
			assert.Equal(t, "retry outer", byID[attempt.Parent().SpanID()].Name())
		}
	}
}

// Two recorders on one call do not end each other's spans.
func TestTwoRecorders(t *testing.T) {
	t.Parallel()
	a, b := newKit(t), newKit(t)
	require.NoError(t, retry.Do(t.Context(), retrytest.Fail(1, errDown),
		a.options(retry.WithHooks(b.Hooks()), retry.WithBackoff(retry.Constant(0)))...))
	for _, k := range []*kit{a, b} {
		k.assertSpansEnded(t)
		assert.Len(t, k.spans.Ended(), 3)
		k.figures(t).assertAddUp(t)
	}
}

// Other hooks may put another span into the attempt's context or return a nil context.
func TestOtherHooks(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	other := retry.Hooks{
		Start: func(context.Context) context.Context { return nil },
		BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context {
			ctx, span := k.traces.Tracer("other").Start(ctx, "other")
			span.End()
			return ctx
		},
	}
	require.NoError(t, retry.Do(t.Context(), retrytest.Fail(1, errDown),
		k.options(retry.WithHooks(other), retry.WithBackoff(retry.Constant(0)), retry.WithAttemptTimeout(time.Minute))...))
	k.assertSpansEnded(t)
	assert.Len(t, k.spans.Ended(), 5)
}

// A call that is not sampled still passes its trace on and is measured.
func TestNotSampled(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	never := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	r, err := retryotel.New(retryotel.Config{MeterProvider: noopmetric.NewMeterProvider(), TracerProvider: never})
	require.NoError(t, err)
	require.NoError(t, retry.Do(t.Context(), func(ctx context.Context) error {
		assert.True(t, trace.SpanContextFromContext(ctx).IsValid())
		assert.False(t, trace.SpanContextFromContext(ctx).IsSampled())
		return nil
	}, retry.WithHooks(r.Hooks()), retry.WithHooks(k.Hooks())))
	k.figures(t).assertAddUp(t)
}

// Without an SDK, fn gets the caller's context itself, with the caller's span if there is one.
func TestNoSDK(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	traced, span := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test").Start(t.Context(), "handler")
	r, err := retryotel.New(retryotel.Config{MeterProvider: noopmetric.NewMeterProvider(), TracerProvider: noop.NewTracerProvider()})
	require.NoError(t, err)
	for _, ctx := range []context.Context{t.Context(), traced} {
		require.NoError(t, retry.Do(ctx, func(got context.Context) error {
			assert.Equal(t, ctx, got)
			return nil
		}, retry.WithHooks(r.Hooks())))
	}
	span.End()
	assert.Len(t, spans.Ended(), 1)
}

// switchableProvider is a provider whose tracing can be turned off.
type switchableProvider struct {
	embedded.TracerProvider
	embeddedTracer
	real trace.Tracer
	off  bool
}

type embeddedTracer = embedded.Tracer

func (f *switchableProvider) Tracer(string, ...trace.TracerOption) trace.Tracer { return f }

func (f *switchableProvider) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	if f.off {
		return noop.Tracer{}.Start(ctx, name, opts...)
	}
	return f.real.Start(ctx, name, opts...) //nolint:spancheck // its caller ends it
}

// An inner call that is not traced does not touch the spans of the outer call.
func TestInnerCallIsNotTraced(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	f := &switchableProvider{real: k.traces.Tracer("test")}
	r, err := retryotel.New(retryotel.Config{MeterProvider: noopmetric.NewMeterProvider(), TracerProvider: f})
	require.NoError(t, err)
	hooks := retry.WithHooks(r.Hooks())
	err = retry.Do(t.Context(), func(ctx context.Context) error {
		f.off = true
		err := retry.Do(ctx, succeeds, hooks, retry.WithName("inner"))
		assert.Empty(t, k.spans.Ended())
		return err
	}, hooks, retry.WithName("outer"))
	require.NoError(t, err)
	k.assertSpansEnded(t)
	require.Len(t, k.spans.Ended(), 2)
	assert.Equal(t, "retry outer", k.spans.Ended()[1].Name())
}
