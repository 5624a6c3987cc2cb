package retryotel

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/seed-205ff063/retry"
)

// observed is what is observed: two of a name could not be told apart.
type observedName struct {
	key  attribute.Key
	name string
}

// ObserveBudget records the tokens of b, under the name, as often as metrics are collected,
// until stop is called; calling it again does nothing. The empty name is one as well. A nil
// budget, and a name that another budget has, are faults that match retry.ErrOption.
//
// What a budget denies is in retry.budget.denials for each policy, without this.
func (r *Recorder) ObserveBudget(name string, b *retry.Budget) (stop func(), err error) {
	const function = "ObserveBudget"
	if b == nil {
		return nil, fault{function, "nil budget; make one by retry.NewBudget"}
	}
	labels := attributeOption(nameAttribute(budgetKey, name)...)
	return r.register(function, observedName{budgetKey, name}, func(_ context.Context, o metric.Observer) error {
		o.ObserveFloat64(r.tokens, b.Tokens(), labels)
		return nil
	}, r.tokens)
}

// observe registers the callback.
func (r *Recorder) register(function string, name observedName, f metric.Callback, instruments ...metric.Observable) (stop func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.observed[name] {
		return nil, fault{function, fmt.Sprintf("the name %q is taken; give another, or call the stop of the one that has it", name.name)}
	}
	registration, err := r.meter.RegisterCallback(f, instruments...)
	if err != nil {
		return nil, fmt.Errorf("retryotel: %s: %w", function, err)
	}
	r.observed[name] = true
	return sync.OnceFunc(func() {
		if err := registration.Unregister(); err != nil {
			otel.Handle(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.observed, name)
	}), nil
}
