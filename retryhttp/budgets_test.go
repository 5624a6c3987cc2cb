package retryhttp_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

func TestHostBudget(t *testing.T) {
	t.Parallel()
	base := &counter{base: replies(503)}
	tr := &retryhttp.Transport{Base: base, Policy: quick(), HostBudget: retryhttp.HostBudgets(0, 3)}
	attempts := func(url string) int64 {
		before := base.attempts.Load()
		resp, err := tr.RoundTrip(newRequest(t, "GET", url, nil))
		require.NoError(t, err)
		assert.Equal(t, 503, resp.StatusCode)
		return base.attempts.Load() - before
	}
	assert.EqualValues(t, 3, attempts("http://a.example/one"))
	assert.EqualValues(t, 2, attempts("http://a.example/two"), "three retries are all there are")
	assert.EqualValues(t, 1, attempts("http://a.example/three"))
	assert.EqualValues(t, 3, attempts("http://b.example"), "another host has its own")
	assert.EqualValues(t, 3, attempts("http://a.example:8080"), "and so has another port")
}

// TestHostBudgetOverPolicy holds that a host's budget stands in place of the policy's.
func TestHostBudgetOverPolicy(t *testing.T) {
	t.Parallel()
	empty, full := retry.NewBudget(0, 0), retry.NewBudget(0, 100)
	for _, test := range []struct {
		name         string
		policy, host *retry.Budget
		want         int64
	}{
		{"host allows", empty, full, 3},
		{"host forbids", full, empty, 1},
	} {
		base := &counter{base: replies(503)}
		var asked []string
		tr := &retryhttp.Transport{
			Base: base, Policy: quick(retry.WithBudget(test.policy)),
			HostBudget: func(host string) *retry.Budget {
				asked = append(asked, host)
				return test.host
			},
		}
		_, err := tr.RoundTrip(newRequest(t, "GET", "http://user:password@host.example:8080/path?query", nil))
		require.NoError(t, err)
		assert.Equal(t, test.want, base.attempts.Load(), test.name)
		assert.Equal(t, []string{"host.example:8080"}, asked, "once a call")
	}
}

// TestHostBudgetNil holds that a host without a budget is not bounded by one.
func TestHostBudgetNil(t *testing.T) {
	t.Parallel()
	base := &counter{base: replies(503)}
	tr := &retryhttp.Transport{Base: base, Policy: quick(), HostBudget: func(string) *retry.Budget { return nil }}
	_, err := tr.RoundTrip(newRequest(t, "GET", "http://host.example", nil))
	require.NoError(t, err)
	assert.EqualValues(t, 3, base.attempts.Load())
}

func TestHostBudgets(t *testing.T) {
	t.Parallel()
	budget := retryhttp.HostBudgets(0.5, 10)
	assert.InDelta(t, 10, budget("host.example").Tokens(), 0)
	seen := map[*retry.Budget]bool{}
	for i := range 3000 {
		b := budget(fmt.Sprintf("host-%d.example", i))
		require.Same(t, b, budget(fmt.Sprintf("host-%d.example", i)), "always the same")
		seen[b] = true
	}
	assert.LessOrEqual(t, len(seen), 1025, "memory is bounded")
	assert.GreaterOrEqual(t, len(seen), 1024, "1024 hosts are kept apart, with the first")
	assert.Same(t, budget("host-2000.example"), budget("host-2999.example"), "the rest share one")
	assert.NotSame(t, budget("host-0.example"), budget("host-2999.example"))
	assert.NotSame(t, budget("host-0.example"), retryhttp.HostBudgets(0.5, 10)("host-0.example"))
}

func TestHostBudgetsConcurrent(t *testing.T) {
	t.Parallel()
	budget := retryhttp.HostBudgets(1, 1)
	var all sync.Map
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				host := fmt.Sprint(i)
				b, _ := all.LoadOrStore(host, budget(host))
				assert.Same(t, b, budget(host))
			}
		})
	}
	wg.Wait()
}
