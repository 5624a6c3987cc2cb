package retryotel_test

import (
	"context"
	"errors"
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
	"github.com/seed-205ff063/retry/retrypool"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	budget := retry.NewBudget(0.5, 3)
	stop, err := k.ObserveBudget("search", budget)
	require.NoError(t, err)
	_, err = k.ObserveBudget("", retry.NewBudget(0, 7))
	require.NoError(t, err)
	const key = "retry.budget.tokens{retry.budget.name=search}"
	assert.EqualValues(t, 3, k.figures(t)[key])
	assert.EqualValues(t, 7, k.figures(t)["retry.budget.tokens{}"])

	for range 3 {
		_ = retry.Do(t.Context(), func(context.Context) error { return errDown },
			k.options(retry.WithBudget(budget), retry.WithMaxAttempts(4), retry.WithBackoff(retry.Constant(0)))...)
	}
	f := k.figures(t)
	assert.EqualValues(t, budget.Tokens(), f[key])
	assert.InDelta(t, 0, f[key], 0.9)
	assert.EqualValues(t, 2, f["retry.budget.denials{retry.policy.name=fetch}"])
	f.addUp(t)

	stop()
	stop()
	assert.NotContains(t, k.figures(t), key)
	assert.Contains(t, k.figures(t), "retry.budget.tokens{}")
	stop2, err := k.ObserveBudget("search", budget)
	require.NoError(t, err, "the name is free")
	stop() // a third time, now that the name is another's
	_, err = k.ObserveBudget("search", budget)
	require.Error(t, err)
	stop2()
}

func TestFaults(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	for want, observe := range map[string]func() (func(), error){
		"retryotel: ObserveBudget: nil budget; make one by retry.NewBudget": func() (func(), error) { return k.ObserveBudget("a", nil) },
		`retryotel: ObserveBudget: the name "twice" is taken; give another, or call the stop of the one that has it`: func() (func(), error) {
			_, err := k.ObserveBudget("twice", &retry.Budget{})
			require.NoError(t, err)
			return k.ObserveBudget("twice", &retry.Budget{})
		},
		"retryotel: ObservePool: nil pool; make one by retrypool.New": func() (func(), error) {
			return k.ObservePool("a", nil)
		},
		`retryotel: ObservePool: the name "" is taken; give another, or call the stop of the one that has it`: func() (func(), error) {
			_, err := k.ObservePool("", fixed{})
			require.NoError(t, err)
			return k.ObservePool("", fixed{})
		},
	} {
		stop, err := observe()
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, retry.ErrOption)
		assert.Nil(t, stop)
	}
	var none *retrypool.Pool[int, int]
	_, err := k.ObservePool("a", none)
	require.ErrorIs(t, err, retry.ErrOption, "it would panic at the first scrape")
	_, err = k.ObservePool("twice", fixed{})
	require.NoError(t, err, "pools and budgets have names of their own")
}

// stingy is a provider that refuses instruments, or callbacks.
type stingy struct {
	noop.MeterProvider
	noopMeter
	refuse string
}

type noopMeter = noop.Meter

var errRefused = errors.New("no more instruments")

func (s stingy) Meter(string, ...metric.MeterOption) metric.Meter { return s }

func (s stingy) Int64Counter(name string, opts ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	if s.refuse == "instruments" {
		return nil, errRefused
	}
	return s.noopMeter.Int64Counter(name, opts...)
}

func (s stingy) RegisterCallback(f metric.Callback, of ...metric.Observable) (metric.Registration, error) {
	if s.refuse == "callbacks" {
		return nil, errRefused
	}
	return s.noopMeter.RegisterCallback(f, of...)
}

func TestProviderRefuses(t *testing.T) {
	t.Parallel()
	c := retryotel.Config{MeterProvider: stingy{refuse: "instruments"}}
	_, err := retryotel.New(c)
	require.EqualError(t, err, "retryotel: retry.calls: no more instruments\nretryotel: retry.budget.denials: no more instruments")
	require.ErrorIs(t, err, errRefused)
	assert.PanicsWithError(t, err.Error(), func() { retryotel.MustNew(c) })

	r, err := retryotel.New(retryotel.Config{MeterProvider: stingy{refuse: "callbacks"}})
	require.NoError(t, err)
	for range 2 { // the name is not taken by what failed
		_, err = r.ObserveBudget("b", &retry.Budget{})
		require.EqualError(t, err, "retryotel: ObserveBudget: no more instruments")
		require.ErrorIs(t, err, errRefused)
	}
}

var globalsSet atomic.Bool

// The global providers count, also if they are set after New. It is not parallel: it sets them.
func TestGlobalProviders(t *testing.T) {
	if !globalsSet.CompareAndSwap(false, true) {
		t.Skip("a process sets them once")
	}
	k := newKit(t)
	r := retryotel.MustNew(retryotel.Config{})
	stop, err := r.ObserveBudget("global", retry.NewBudget(0, 2))
	require.NoError(t, err)
	call := func() {
		require.NoError(t, retry.Do(t.Context(), fine, retry.WithHooks(r.Hooks())))
	}
	call() // nobody sees it
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
