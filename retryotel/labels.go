package retryotel

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/seed-205ff063/retry"
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

	numberKey   = attribute.Key("retry.attempt.number") // of spans and events only
	attemptsKey = attribute.Key("retry.call.attempts")  // of spans only
	waitKey     = attribute.Key("retry.wait.duration")  // of events only
)

// end is how a call ended: with success, or for which reason.
type callResult uint8

const (
	succeeded callResult = iota
	exhausted
	maxElapsed
	contextDone
	deadline
	permanent
	retryAfter
	budget
	other
	resultCount
)

// words are the values of retry.reason.
var reasonValues = [resultCount]string{"", "exhausted", "max_elapsed", "context", "deadline", "permanent", "retry_after", "budget", "other"}

// endOf says how a call ended with err, whose context is ctx. A call that gave up because its next
// wait would have passed the deadline is told from one whose context ended: nobody had ended it.
func resultOf(ctx context.Context, err *retry.Error) callResult {
	switch {
	case err == nil:
		return succeeded
	case err.Reason == retry.ErrContext && (err.Delay > 0 || ctx.Err() == nil):
		return deadline
	}
	switch err.Reason {
	case retry.ErrExhausted:
		return exhausted
	case retry.ErrMaxElapsed:
		return maxElapsed
	case retry.ErrContext:
		return contextDone
	case retry.ErrPermanent:
		return permanent
	case retry.ErrRetryAfter:
		return retryAfter
	case retry.ErrBudget:
		return budget
	}
	return other
}

// outcome is the attribute of what failed or did not.
func outcomeAttribute(failed bool) attribute.KeyValue {
	if failed {
		return outcomeKey.String("failed")
	}
	return outcomeKey.String("succeeded")
}

// named is the attribute of a name, and none for the empty one.
func nameAttribute(key attribute.Key, name string) []attribute.KeyValue {
	if name == "" {
		return nil
	}
	return []attribute.KeyValue{key.String(name)}
}

// callAttributes are those of retry.calls.
func callAttributes(policy string, result callResult, retried bool) []attribute.KeyValue {
	all := append(nameAttribute(policyKey, policy), outcomeAttribute(result != succeeded), retriedKey.Bool(retried))
	if result != succeeded {
		all = append(all, reasonKey.String(reasonValues[result]))
	}
	return all
}

// labels are what a policy's measurements are labelled with, made once: a measurement then
// allocates nothing of ours.
type labels struct {
	calls     [resultCount][2][]metric.AddOption // the second for those that were retried
	denied    []metric.AddOption
	all       []metric.RecordOption // whatever the outcome
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
	for e := range resultCount {
		l.calls[e][0] = []metric.AddOption{attributeOption(callAttributes(name, e, false)...)}
		l.calls[e][1] = []metric.AddOption{attributeOption(callAttributes(name, e, true)...)}
	}
	return l
}

// of returns the labels of what failed or did not.
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
	// mostNames bounds the series, and the memory, of a program that names policies or pools after
	// what it is asked for.
	maxNames     = 256
	overflowName = "_other"
)

// policies holds the labels by the name of the policy. It is read by every attempt, without a
// lock, and hardly ever written.
type labelCache struct {
	known atomic.Pointer[map[string]*labels]
	mu    sync.Mutex
}

func (p *labelCache) get(name string) *labels {
	if known := p.known.Load(); known != nil {
		if l := (*known)[name]; l != nil {
			return l
		}
	}
	return p.add(name)
}

func (p *labelCache) add(name string) *labels {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := map[string]*labels{}
	if old := p.known.Load(); old != nil {
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
	p.known.Store(&known)
	return l
}
