package retryotel_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryotel"
)

var _ fmt.Formatter = (*retryotel.Recorder)(nil)

// refusingProvider is a provider that refuses instruments or callbacks.
type refusingProvider struct {
	noop.MeterProvider
	noopMeter
	refuse string
}

type noopMeter = noop.Meter

var errRefused = errors.New("no more instruments")

func (s refusingProvider) Meter(string, ...metric.MeterOption) metric.Meter { return s }

func (s refusingProvider) Int64Counter(name string, opts ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	if s.refuse == "instruments" {
		return nil, errRefused
	}
	return s.noopMeter.Int64Counter(name, opts...)
}

func (s refusingProvider) RegisterCallback(f metric.Callback, of ...metric.Observable) (metric.Registration, error) {
	if s.refuse == "callbacks" {
		return nil, errRefused
	}
	return s.noopMeter.RegisterCallback(f, of...)
}

func TestProviderRefuses(t *testing.T) {
	t.Parallel()
	c := retryotel.Config{MeterProvider: refusingProvider{refuse: "instruments"}}
	_, err := retryotel.New(c)
	require.EqualError(t, err, "retryotel: retry.calls: no more instruments\nretryotel: retry.budget.denials: no more instruments")
	require.ErrorIs(t, err, errRefused)
	assert.PanicsWithError(t, err.Error(), func() { retryotel.MustNew(c) })

	r, err := retryotel.New(retryotel.Config{MeterProvider: refusingProvider{refuse: "callbacks"}})
	require.NoError(t, err)
	for range 2 { // a failed registration does not take the name
		_, err = r.ObserveBudget("b", &retry.Budget{})
		require.EqualError(t, err, "retryotel: ObserveBudget: no more instruments")
		require.ErrorIs(t, err, errRefused)
	}
}

var globalsSet atomic.Bool

// A Recorder uses the global providers, even if they are set after New. The test sets them, so it is
// not parallel.
func TestGlobalProviders(t *testing.T) {
	if !globalsSet.CompareAndSwap(false, true) {
		t.Skip("a process sets them once")
	}
	k := newKit(t)
	r := retryotel.MustNew(retryotel.Config{})
	stop, err := r.ObserveBudget("global", retry.NewBudget(0, 2))
	require.NoError(t, err)
	call := func() {
		require.NoError(t, retry.Do(t.Context(), succeeds, retry.WithHooks(r.Hooks())))
	}
	call() // not recorded: there is no provider yet
	otel.SetTracerProvider(k.traces)
	k.reader = sdkmetric.NewManualReader()
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(k.reader)))
	call()
	f := k.figures(t)
	assert.EqualValues(t, 1, f.total("retry.calls"))
	assert.EqualValues(t, 2, f.total("retry.budget.tokens"))
	assert.Len(t, k.spans.Ended(), 2)
	stop()
	assert.Zero(t, k.figures(t).total("retry.budget.tokens"))
}

// Printing a Recorder while it records is no data race, which the race detector would report.
func TestFormat(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for i := range 100 {
				_ = retry.Do(context.Background(), succeeds, retry.WithName(fmt.Sprint(n, i)), retry.WithHooks(k.Hooks()))
				stop, err := k.ObserveBudget(fmt.Sprint(n, i), retry.NewBudget(1, 1))
				assert.NoError(t, err)
				stop()
			}
		})
	}
	for range 100 {
		assert.Equal(t, "retryotel.Recorder retryotel.Recorder retryotel.Recorder", fmt.Sprintf("%v %#v %d", k.Recorder, k.Recorder, k.Recorder))
	}
	wg.Wait()
}
