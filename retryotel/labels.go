package retryotel

import (
	"maps"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// The attributes of instruments and spans.
const (
	policyKey      = attribute.Key("retry.policy.name")
	outcomeKey     = attribute.Key("retry.outcome")
	retriedKey     = attribute.Key("retry.retried")
	reasonKey      = attribute.Key("retry.reason")
	budgetKey      = attribute.Key("retry.budget.name")
	poolKey        = attribute.Key("retry.pool.name")
	poolStateKey   = attribute.Key("retry.pool.state")
	poolOutcomeKey = attribute.Key("retry.pool.outcome")

	numberKey   = attribute.Key("retry.attempt.number") // spans and events only
	attemptsKey = attribute.Key("retry.call.attempts")  // spans only
	waitKey     = attribute.Key("retry.wait.duration")  // events only
)

// outcomeAttribute returns the attribute retry.outcome.
func outcomeAttribute(failed bool) attribute.KeyValue {
	if failed {
		return outcomeKey.String("failed")
	}
	return outcomeKey.String("succeeded")
}

// nameAttribute returns the attribute for a name, none for the empty name.
func nameAttribute(key attribute.Key, name string) []attribute.KeyValue {
	if name == "" {
		return nil
	}
	return []attribute.KeyValue{key.String(name)}
}

// callAttributes returns the attributes of retry.calls.
func callAttributes(policy string, result callResult, retried bool) []attribute.KeyValue {
	all := append(nameAttribute(policyKey, policy), outcomeAttribute(result != succeeded), retriedKey.Bool(retried))
	if result != succeeded {
		all = append(all, reasonKey.String(reasonValues[result]))
	}
	return all
}

// labels are the attributes of a policy's measurements, as options. They are made once, so that a
// measurement allocates nothing here.
type labels struct {
	calls     [resultCount][2][]metric.AddOption // the second is for calls that were retried
	denied    []metric.AddOption
	all       []metric.RecordOption // without the outcome
	succeeded []metric.RecordOption
	failed    []metric.RecordOption
}

func newLabels(name string) *labels {
	l := &labels{
		denied:    []metric.AddOption{attributeOption(nameAttribute(policyKey, name)...)},
		all:       []metric.RecordOption{attributeOption(nameAttribute(policyKey, name)...)},
		succeeded: []metric.RecordOption{attributeOption(append(nameAttribute(policyKey, name), outcomeAttribute(false))...)},
		failed:    []metric.RecordOption{attributeOption(append(nameAttribute(policyKey, name), outcomeAttribute(true))...)},
	}
	for result := range resultCount {
		l.calls[result][0] = []metric.AddOption{attributeOption(callAttributes(name, result, false)...)}
		l.calls[result][1] = []metric.AddOption{attributeOption(callAttributes(name, result, true)...)}
	}
	return l
}

// forOutcome returns the labels with the outcome.
func (l *labels) forOutcome(failed bool) []metric.RecordOption {
	if failed {
		return l.failed
	}
	return l.succeeded
}

func attributeOption(attributes ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}

const (
	// maxNames bounds the names of policies and of pools. A program that makes names from its
	// input would else make series, and use memory, without bound.
	maxNames     = 256
	overflowName = "_other"
)

// labelCache holds the labels by the name of the policy. Every attempt reads it, without a lock.
// Only a new name writes it.
type labelCache struct {
	known atomic.Pointer[map[string]*labels]
	mu    sync.Mutex
}

func (c *labelCache) get(name string) *labels {
	if known := c.known.Load(); known != nil {
		if l := (*known)[name]; l != nil {
			return l
		}
	}
	return c.add(name)
}

// add returns the labels for a name that may be new. Beyond maxNames it returns the
// labels of overflowName.
func (c *labelCache) add(name string) *labels {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := map[string]*labels{}
	if old := c.known.Load(); old != nil {
		known = *old
	}
	if len(known) >= maxNames && known[name] == nil {
		name = overflowName
	}
	if l := known[name]; l != nil {
		return l
	}
	l := newLabels(name)
	known = maps.Clone(known)
	known[name] = l
	c.known.Store(&known)
	return l
}
