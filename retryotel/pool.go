package retryotel

import (
	"context"
	"reflect"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/seed-205ff063/retry/retrypool"
)

// The values of retry.pool.outcome.
const (
	itemSucceeded    = "succeeded"
	itemDeadLettered = "dead_lettered"
	itemFailed       = "failed"
	itemCanceled     = "canceled"
)

// PoolEvents returns events that record how long the items of a pool were queued and how long they
// took, as retry.pool.queue.duration and retry.pool.item.duration. Use the name that you give to
// [Recorder.ObservePool].
//
// Set the events as Events of retrypool.Config. A program that has events of its own calls these
// from them: Started and the four outcomes.
//
// The time in the queue is recorded when an item's first attempt begins, and includes the wait at
// its gates. An item whose first attempt never begins has none.
func PoolEvents[In any](r *Recorder, name string) retrypool.Events[In] {
	type event = retrypool.Event[In]
	wait, duration := r.queueDuration, r.itemDuration // a nil r panics here
	name = r.poolName(name)
	queued := []metric.RecordOption{attributeOption(nameAttribute(poolKey, name)...)}
	ended := func(outcome string) func(event) {
		labels := []metric.RecordOption{poolOption(name, poolOutcomeKey.String(outcome))}
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

// poolName returns the name under which a pool is recorded: its own, or overflowName if there are
// maxNames other names already.
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

// eventContext returns the context of an event. A program may make events without one.
func eventContext(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// poolOption returns the attributes of a pool's measurement.
func poolOption(name string, more ...attribute.KeyValue) metric.MeasurementOption {
	return attributeOption(append(nameAttribute(poolKey, name), more...)...)
}

// ObservePool records the figures of a pool under the name, at every collection of metrics until
// stop is called. Calling stop again does nothing. Call it after the pool is closed, and after the
// last collection that should have its totals.
//
// The figures of one collection are of one moment and add up: each submitted item is settled,
// queued, running or parked. An item that is canceled before its first attempt is a call that
// failed because of its context. retry.pool.settled has it as canceled.
//
// The capacity is recorded if the pool has a method Capacity() int, as *retrypool.Pool has. The
// pools under "_other" are recorded together as one pool, without their capacity; see [Recorder].
//
// The empty name is a name too. A nil pool is an error, and so is a name that another pool has.
// These errors match retry.ErrOption.
//
// To record the calls of a pool, give the [Recorder.Hooks] to its policy. To record the times of
// its items, use [PoolEvents].
func (r *Recorder) ObservePool(name string, pool interface{ Stats() retrypool.Stats }) (stop func(), err error) {
	const function = "ObservePool"
	if v := reflect.ValueOf(pool); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, fault{function, "nil pool; make one by retrypool.New"} // here, and not at a collection
	}
	label := r.poolName(name)
	observer := newPoolObserver(&r.instruments, label)
	sized, _ := pool.(interface{ Capacity() int })
	return r.register(function, observedName{poolKey, name}, func(_ context.Context, o metric.Observer) error {
		observer.observe(o, pool.Stats())
		if sized != nil && label != overflowName {
			o.ObserveFloat64(r.poolCapacity, float64(sized.Capacity()), observer.all)
		}
		return nil
	}, r.poolSubmitted, r.poolSettled, r.poolItems, r.poolRetries, r.poolCapacity)
}

// poolObserver records the figures of a pool. Its options are made once.
type poolObserver struct {
	*instruments

	all                                       metric.MeasurementOption
	queued, running, parked                   metric.MeasurementOption
	succeeded, deadLettered, failed, canceled metric.MeasurementOption
}

func newPoolObserver(i *instruments, name string) *poolObserver {
	return &poolObserver{
		instruments:  i,
		all:          poolOption(name),
		queued:       poolOption(name, poolStateKey.String("queued")),
		running:      poolOption(name, poolStateKey.String("running")),
		parked:       poolOption(name, poolStateKey.String("parked")),
		succeeded:    poolOption(name, poolOutcomeKey.String(itemSucceeded)),
		deadLettered: poolOption(name, poolOutcomeKey.String(itemDeadLettered)),
		failed:       poolOption(name, poolOutcomeKey.String(itemFailed)),
		canceled:     poolOption(name, poolOutcomeKey.String(itemCanceled)),
	}
}

func (p *poolObserver) observe(o metric.Observer, s retrypool.Stats) {
	o.ObserveInt64(p.poolSubmitted, int64(s.Submitted), p.all)
	o.ObserveInt64(p.poolSettled, int64(s.Succeeded), p.succeeded)
	o.ObserveInt64(p.poolSettled, int64(s.DeadLettered), p.deadLettered)
	o.ObserveInt64(p.poolSettled, int64(s.Failed), p.failed)
	o.ObserveInt64(p.poolSettled, int64(s.Canceled), p.canceled)
	o.ObserveInt64(p.poolItems, int64(s.Queued), p.queued)
	o.ObserveInt64(p.poolItems, int64(s.Running), p.running)
	o.ObserveInt64(p.poolItems, int64(s.Parked), p.parked)
	o.ObserveInt64(p.poolRetries, int64(s.Retries), p.all)
}
