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

// observedName is a name that is in use. Two budgets, or two pools, of one name could not be told
// apart.
type observedName struct {
	key  attribute.Key
	name string
}

// ObserveBudget records the tokens of b under the name, at every collection of metrics until stop
// is called. Calling stop again does nothing.
//
// Names must be few and fixed, not made from input. Each name is a time series of its own, and a
// Recorder does not limit how many budgets it observes.
//
// The empty name is a name too. A nil budget is an error, and so is a name that another budget has.
// These errors match retry.ErrOption.
//
// retry.budget.denials counts what a budget denies, for each policy and without ObserveBudget.
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

// register registers the callback under a name that no other has.
func (r *Recorder) register(function string, name observedName, f metric.Callback, instruments ...metric.Observable) (stop func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.observed[name] {
		return nil, fault{function, fmt.Sprintf("the name %q is in use; choose another, or call the stop function of the one that uses it", name.name)}
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
