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
	poolCapacity                            metric.Float64ObservableGauge
	poolSubmitted, poolSettled, poolRetries metric.Int64ObservableCounter
}

// The boundaries that the histograms advise. Each costs a series for every combination of
// attributes, so they are few: with them a policy has at most 60 series, and a pool 55. A view of
// the program may set others.
var (
	seconds     = []float64{0.01, 0.1, 1, 10}
	waits       = []float64{0, 1, 10} // 0: what did not wait is told from what did
	attempts    = []float64{1, 2, 3, 5}
	poolSeconds = []float64{0.01, 0.1, 1, 10, 60, 600} // items are queued and parked for long
)

// make makes the instruments.
func (i *instruments) create(m metric.Meter) error {
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
	i.queueDuration = duration("retry.pool.queue.duration", "Time from an item's submission to its first attempt.", poolSeconds)
	i.itemDuration = duration("retry.pool.item.duration", "Time from an item's submission to its end.", poolSeconds)
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
	i.poolCapacity, err = m.Float64ObservableGauge("retry.pool.capacity", metric.WithUnit("{item}"),
		metric.WithDescription("Items that a pool holds at most."))
	check("retry.pool.capacity", err)
	return errors.Join(faults...)
}
