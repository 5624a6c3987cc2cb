package retryotel_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/seed-205ff063/retry"
)

// Every instrument has its documented unit, and every histogram its documented boundaries.
func TestInstruments(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	_ = retry.Do(context.Background(), func(context.Context) error { return errDown },
		k.options(retry.WithBudget(retry.NewBudget(0, 0)))...)
	_, err := k.ObserveBudget("b", retry.NewBudget(0, 0))
	require.NoError(t, err)
	p := newPool(t, k, nil)
	_, err = p.Submit(t.Context(), 0)
	require.NoError(t, err)
	require.NoError(t, p.Close(t.Context()))

	units := map[string]string{}
	bounds := map[string][]float64{}
	scopes := k.collect(t).ScopeMetrics
	require.Len(t, scopes, 1)
	assert.Equal(t, "github.com/seed-205ff063/retry/retryotel", scopes[0].Scope.Name)
	for _, m := range scopes[0].Metrics {
		units[m.Name] = m.Unit
		assert.NotEmpty(t, m.Description, m.Name)
		switch data := m.Data.(type) {
		case metricdata.Histogram[float64]:
			bounds[m.Name] = data.DataPoints[0].Bounds
		case metricdata.Histogram[int64]:
			bounds[m.Name] = data.DataPoints[0].Bounds
		}
	}
	assert.Equal(t, map[string]string{
		"retry.calls":               "{call}",
		"retry.call.attempts":       "{attempt}",
		"retry.call.duration":       "s",
		"retry.call.wait.duration":  "s",
		"retry.attempt.duration":    "s",
		"retry.budget.denials":      "{denial}",
		"retry.budget.tokens":       "{token}",
		"retry.pool.items":          "{item}",
		"retry.pool.capacity":       "{item}",
		"retry.pool.submitted":      "{item}",
		"retry.pool.settled":        "{item}",
		"retry.pool.retries":        "{retry}",
		"retry.pool.queue.duration": "s",
		"retry.pool.item.duration":  "s",
	}, units)
	assert.Equal(t, documentedBounds(t), bounds)
	assert.Len(t, bounds, 6)
}
