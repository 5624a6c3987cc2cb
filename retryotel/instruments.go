package retryotel

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/metric"
)

// instruments are those of the package's comment.
type instruments struct {
	meter metric.Meter

	calls, denials                          metric.Int64Counter
	callAttempts                            metric.Int64Histogram
	callDuration, callWait                  metric.Float64Histogram
	attemptDuration                         metric.Float64Histogram
	queueDuration, itemDuration             metric.Float64Histogram
	tokens                                  metric.Float64ObservableGauge
	poolItems                               metric.Int64ObservableUpDownCounter
	poolSubmitted, poolSettled, poolRetries metric.Int64ObservableCounter
}

// The boundaries that the histograms advise. Calls that wait take minutes, and a first-try
// success in memory a fraction of a millisecond.
var (
	seconds  = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300}
	waits    = append([]float64{0}, seconds...) // what did not wait is told from what did
	attempts = []float64{0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 50, 100}
)

// make makes the instruments.
func (i *instruments) make(m metric.Meter) error {
	i.meter = m
	var faults []error
	check := func(name string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("retryotel: %s: %w", name, err))
		}
	}
	counter := func(name, unit, text string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(text))
		check(name, err)
		return c
	}
	duration := func(name, text string, bounds []float64) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(text),
			metric.WithExplicitBucketBoundaries(bounds...))
		check(name, err)
		return h
	}
	observable := func(name, unit, text string) metric.Int64ObservableCounter {
		c, err := m.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		check(name, err)
		return c
	}
	i.calls = counter("retry.calls", "{call}", "Calls that ended.")
	i.denials = counter("retry.budget.denials", "{denial}", "Retries that a budget forbade.")
	i.callDuration = duration("retry.call.duration", "Duration of calls, waits included.", seconds)
	i.callWait = duration("retry.call.wait.duration", "Time that calls spent waiting between attempts.", waits)
	i.attemptDuration = duration("retry.attempt.duration", "Duration of attempts.", seconds)
	i.queueDuration = duration("retry.pool.queue.duration", "Time from an item's submission to its first attempt.", seconds)
	i.itemDuration = duration("retry.pool.item.duration", "Time from an item's submission to its end.", seconds)
	i.poolSubmitted = observable("retry.pool.submitted", "{item}", "Items that a pool took in.")
	i.poolSettled = observable("retry.pool.settled", "{item}", "Items of a pool that ended.")
	i.poolRetries = observable("retry.pool.retries", "{retry}", "Attempts that began and were not an item's first.")

	var err error
	i.callAttempts, err = m.Int64Histogram("retry.call.attempts", metric.WithUnit("{attempt}"),
		metric.WithDescription("Attempts of calls."), metric.WithExplicitBucketBoundaries(attempts...))
	check("retry.call.attempts", err)
	i.tokens, err = m.Float64ObservableGauge("retry.budget.tokens", metric.WithUnit("{token}"),
		metric.WithDescription("Tokens left in a budget: retries it has now."))
	check("retry.budget.tokens", err)
	i.poolItems, err = m.Int64ObservableUpDownCounter("retry.pool.items", metric.WithUnit("{item}"),
		metric.WithDescription("Items of a pool that are not settled."))
	check("retry.pool.items", err)
	return errors.Join(faults...)
}
