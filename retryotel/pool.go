package retryotel

import (
	"context"
	"reflect"

	"go.opentelemetry.io/otel/metric"

	"github.com/seed-205ff063/retry/retrypool"
)

// The ways an item ends, as values of retry.pool.outcome.
const (
	itemSucceeded    = "succeeded"
	itemDeadLettered = "dead_lettered"
	itemFailed       = "failed"
	itemCanceled     = "canceled"
)

// PoolEvents returns the events that record how long the items of a pool were queued and took,
// as retry.pool.queue.duration and retry.pool.item.duration under the name, which should be the
// one given to [Recorder.ObservePool]. Give them to retrypool.Config; a program that has events
// of its own calls these from them, Started and the four ends.
//
// They record with the item's context, so that exemplars lead to the trace that submitted the item.
//
// The time in the queue is recorded when an item's first attempt begins, its gates included. An
// item whose first attempt never begins has none.
func PoolEvents[In any](r *Recorder, name string) retrypool.Events[In] {
	type event = retrypool.Event[In]
	wait, duration := r.queueDuration, r.itemDuration // a nil r panics here
	name = r.poolName(name)
	queued := []metric.RecordOption{attributeOption(nameAttribute(poolKey, name)...)}
	ended := func(how string) func(event) {
		labels := []metric.RecordOption{attributeOption(append(nameAttribute(poolKey, name), poolOutcomeKey.String(how))...)}
		return func(e event) { duration.Record(eventContext(e.Context), e.Elapsed.Seconds(), labels...) }
	}
	return retrypool.Events[In]{
		Started: func(e event) {
			if e.Attempt == 1 {
				wait.Record(eventContext(e.Context), e.Elapsed.Seconds(), queued...)
			}
		},
		Succeeded:    ended(itemSucceeded),
		DeadLettered: ended(itemDeadLettered),
		Failed:       ended(itemFailed),
		Canceled:     ended(itemCanceled),
	}
}

// poolName is what a pool of that name is recorded under: its name, or overflowName if it comes
// after mostNames others.
func (r *Recorder) poolName(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.pools[name]:
	case len(r.pools) < maxNames:
		r.pools[name] = true
	default:
		return overflowName
	}
	return name
}

// contextOf is the context of an event, which a program may have made without one.
func eventContext(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// ObservePool records the figures of a pool, under the name, as often as metrics are collected,
// until stop is called; calling it again does nothing. The figures of one collection are of one
// moment and add up: what was submitted is settled, queued, running or parked. Stop after the
// pool is closed, and after the last collection that is to see its totals.
//
// The capacity is recorded if the pool says it, by a method Capacity() int as *retrypool.Pool has.
// The pools under "_other", see the package's comment, are recorded as one that is all of them, and
// their capacity is not.
//
// The empty name is one as well. A nil pool, and a name that another pool has, are faults that
// match retry.ErrOption. The calls of a pool are recorded by the [Recorder.Hooks] of its
// policy, and the times of its items by [PoolEvents].
func (r *Recorder) ObservePool(name string, pool interface{ Stats() retrypool.Stats }) (stop func(), err error) {
	const function = "ObservePool"
	if v := reflect.ValueOf(pool); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, fault{function, "nil pool; make one by retrypool.New"} // here, and not at a scrape
	}
	label := r.poolName(name)
	all := attributeOption(nameAttribute(poolKey, label)...)
	state := func(state string) metric.MeasurementOption {
		return attributeOption(append(nameAttribute(poolKey, label), poolStateKey.String(state))...)
	}
	queued, running, parked := state("queued"), state("running"), state("parked")
	end := func(how string) metric.MeasurementOption {
		return attributeOption(append(nameAttribute(poolKey, label), poolOutcomeKey.String(how))...)
	}
	succeeded, deadLettered, failed, canceled := end(itemSucceeded), end(itemDeadLettered), end(itemFailed), end(itemCanceled)

	sized, _ := pool.(interface{ Capacity() int })

	return r.register(function, observedName{poolKey, name}, func(_ context.Context, o metric.Observer) error {
		s := pool.Stats()
		if sized != nil && label != overflowName {
			o.ObserveFloat64(r.poolCapacity, float64(sized.Capacity()), all)
		}
		o.ObserveInt64(r.poolSubmitted, int64(s.Submitted), all)
		o.ObserveInt64(r.poolSettled, int64(s.Succeeded), succeeded)
		o.ObserveInt64(r.poolSettled, int64(s.DeadLettered), deadLettered)
		o.ObserveInt64(r.poolSettled, int64(s.Failed), failed)
		o.ObserveInt64(r.poolSettled, int64(s.Canceled), canceled)
		o.ObserveInt64(r.poolItems, int64(s.Queued), queued)
		o.ObserveInt64(r.poolItems, int64(s.Running), running)
		o.ObserveInt64(r.poolItems, int64(s.Parked), parked)
		o.ObserveInt64(r.poolRetries, int64(s.Retries), all)
		return nil
	}, r.poolSubmitted, r.poolSettled, r.poolItems, r.poolRetries, r.poolCapacity)
}
