package retryotel

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/metric"
)

// instruments are the instruments that the package comment lists.
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

// The bucket boundaries that the histograms advise. They are few, because each costs a time series
// for every combination of attributes; see Recorder.
var (
	seconds     = []float64{0.01, 0.1, 1, 10}
	waits       = []float64{0, 1, 10} // 0 separates the calls that did not wait
	attempts    = []float64{1, 2, 3, 5}
	poolSeconds = []float64{0.01, 0.1, 1, 10, 60, 600} // items may be queued and parked for long
)

// create creates the instruments. It returns one error for all that the meter refuses.
func (i *instruments) create(m metric.Meter) error {
	i.meter = m
	c := creator{meter: m}
	i.calls = c.counter("retry.calls", "{call}", "Calls that ended.")
	i.denials = c.counter("retry.budget.denials", "{denial}", "Retries that a budget denied.")
	i.callAttempts = c.attemptHistogram("retry.call.attempts", "Attempts of calls.")
	i.callDuration = c.duration("retry.call.duration", "Duration of calls, waits included.", seconds)
	i.callWait = c.duration("retry.call.wait.duration", "Time that calls waited between attempts.", waits)
	i.attemptDuration = c.duration("retry.attempt.duration", "Duration of attempts.", seconds)
	i.queueDuration = c.duration("retry.pool.queue.duration", "Time from an item's submission to its first attempt.", poolSeconds)
	i.itemDuration = c.duration("retry.pool.item.duration", "Time from an item's submission to its end.", poolSeconds)
	i.tokens = c.gauge("retry.budget.tokens", "{token}", "Tokens in a budget: retries it allows now.")
	i.poolItems = c.upDownCounter("retry.pool.items", "{item}", "Items of a pool that are not settled.")
	i.poolCapacity = c.gauge("retry.pool.capacity", "{item}", "Items that a pool holds at most.")
	i.poolSubmitted = c.observableCounter("retry.pool.submitted", "{item}", "Items that a pool took in.")
	i.poolSettled = c.observableCounter("retry.pool.settled", "{item}", "Items of a pool that ended.")
	i.poolRetries = c.observableCounter("retry.pool.retries", "{retry}", "Attempts begun, first attempts not counted.")
	return errors.Join(c.errs...)
}

// creator creates instruments and collects the errors.
type creator struct {
	meter metric.Meter
	errs  []error
}

func (c *creator) check(name string, err error) {
	if err != nil {
		c.errs = append(c.errs, fmt.Errorf("retryotel: %s: %w", name, err))
	}
}

func (c *creator) counter(name, unit, description string) metric.Int64Counter {
	i, err := c.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
	c.check(name, err)
	return i
}

func (c *creator) attemptHistogram(name, description string) metric.Int64Histogram {
	i, err := c.meter.Int64Histogram(name, metric.WithUnit("{attempt}"), metric.WithDescription(description),
		metric.WithExplicitBucketBoundaries(attempts...))
	c.check(name, err)
	return i
}

func (c *creator) duration(name, description string, bounds []float64) metric.Float64Histogram {
	i, err := c.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
		metric.WithExplicitBucketBoundaries(bounds...))
	c.check(name, err)
	return i
}

func (c *creator) gauge(name, unit, description string) metric.Float64ObservableGauge {
	i, err := c.meter.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
	c.check(name, err)
	return i
}

func (c *creator) upDownCounter(name, unit, description string) metric.Int64ObservableUpDownCounter {
	i, err := c.meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
	c.check(name, err)
	return i
}

func (c *creator) observableCounter(name, unit, description string) metric.Int64ObservableCounter {
	i, err := c.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
	c.check(name, err)
	return i
}
