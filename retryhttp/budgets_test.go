package retryhttp_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

func TestHostBudget(t *testing.T) {
	t.Parallel()
	base := &countingBase{base: replies(503)}
	tr := &retryhttp.Transport{Base: base, Policy: quickPolicy(), HostBudget: retryhttp.HostBudgets(0, 3)}
	attempts := func(url string) int64 {
		before := base.attempts.Load()
		resp, err := tr.RoundTrip(newRequest(t, "GET", url, nil))
		require.NoError(t, err)
		assert.Equal(t, 503, resp.StatusCode)
		return base.attempts.Load() - before
	}
	assert.EqualValues(t, 3, attempts("http://a.example/one"))
	assert.EqualValues(t, 2, attempts("http://a.example/two"), "the budget has three retries")
	assert.EqualValues(t, 1, attempts("http://a.example/three"))
	assert.EqualValues(t, 3, attempts("http://b.example"), "another host has its own")
	assert.EqualValues(t, 3, attempts("http://a.example:8080"), "another port has its own")
}

// TestHostBudgetOverPolicy checks that a host's budget replaces the policy's.
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
		base := &countingBase{base: replies(503)}
		var asked []string
		tr := &retryhttp.Transport{
			Base: base, Policy: quickPolicy(retry.WithBudget(test.policy)),
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

// TestHostBudgetNil checks that a nil budget does not limit retries.
func TestHostBudgetNil(t *testing.T) {
	t.Parallel()
	base := &countingBase{base: replies(503)}
	tr := &retryhttp.Transport{Base: base, Policy: quickPolicy(), HostBudget: func(string) *retry.Budget { return nil }}
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
		require.False(t, seen[b], "no host shares the budget of another")
		seen[b] = true
	}
	assert.NotSame(t, budget("host-2.example"), budget("host-2999.example"))
	assert.NotSame(t, budget("host-0.example"), retryhttp.HostBudgets(0.5, 10)("host-0.example"))
}

// TestHostBudgetsForget checks that the hosts in use keep their budgets, however many other
// hosts there are, and that memory is bounded.
func TestHostBudgetsForget(t *testing.T) {
	t.Parallel()
	budget := retryhttp.HostBudgets(0.5, 10)
	used, unused := budget("used.example"), budget("unused.example")
	for i := range 2000 {
		budget(fmt.Sprintf("host-%d.attacker.example", i))
		require.Same(t, used, budget("used.example"))
	}
	assert.NotSame(t, unused, budget("unused.example"), "it was the oldest")
	recent := budget("host-1999.attacker.example")
	for i := range 1022 { // 1024 with it and the one in use
		budget(fmt.Sprintf("another-%d.example", i))
		budget("used.example")
	}
	assert.Same(t, recent, budget("host-1999.attacker.example"), "1024 hosts are kept")
	for i := range 1023 {
		budget(fmt.Sprintf("third-%d.example", i))
		budget("used.example")
	}
	assert.NotSame(t, recent, budget("host-1999.attacker.example"), "and no more")
}

// TestHostBudgetsSpelling checks that all spellings of a host share a budget.
func TestHostBudgetsSpelling(t *testing.T) {
	t.Parallel()
	budget := retryhttp.HostBudgets(0.5, 10)
	for name, spellings := range map[string][]string{
		"name":     {"host.example", "HOST.Example", "host.example.", "host.example:443", "host.example:80", "Host.example.:443", "host.example:"},
		"port":     {"host.example:8080", "HOST.example.:8080"},
		"address":  {"127.0.0.1", "127.0.0.1:80"},
		"IPv6":     {"[2001:db8::1]", "[2001:DB8::1]:443"},
		"IPv6, 80": {"[2001:db8::80]", "[2001:db8::80]:80"},
		"IPv6, 81": {"[2001:db8::1]:8081"},
		"none":     {"", ":80"},
	} {
		for _, spelling := range spellings {
			assert.Same(t, budget(spellings[0]), budget(spelling), "%s: %q", name, spelling)
		}
	}
	distinct := map[*retry.Budget]bool{}
	for _, host := range []string{"host.example", "host.example:8080", "127.0.0.1", "[2001:db8::1]", "[2001:db8::80]", "[2001:db8::1]:8081", ""} {
		distinct[budget(host)] = true
	}
	assert.Len(t, distinct, 7)
}

// TestHostBudgetHost checks that HostBudget is called with the common spelling of a host.
func TestHostBudgetHost(t *testing.T) {
	t.Parallel()
	var asked []string
	tr := &retryhttp.Transport{Base: replies(200), HostBudget: func(host string) *retry.Budget {
		asked = append(asked, host)
		return nil
	}}
	for _, url := range []string{"http://HOST.example.:80/path", "https://host.example:443", "http://host.example:8080"} {
		_, err := tr.RoundTrip(newRequest(t, "GET", url, nil))
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"host.example", "host.example", "host.example:8080"}, asked)
}

// TestHostBudgetsMemory checks that a budget does not keep the address that its host was part
// of.
func TestHostBudgetsMemory(t *testing.T) { //nolint:paralleltest // it measures the process's memory
	budget := retryhttp.HostBudgets(0.5, 10)
	before := heapInUse()
	for i := range 500 {
		host := fmt.Sprintf("host-%d.example", i)
		address := host + strings.Repeat("x", 100<<10)
		budget(address[:len(host)])
	}
	assert.Less(t, heapInUse()-before, int64(1<<20), "500 hosts of addresses of 100 KiB")
	runtime.KeepAlive(budget)
}

// heapInUse returns the bytes of memory in use.
func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
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
