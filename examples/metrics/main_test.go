package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// The tests are not parallel, because expvar's variables belong to the process.

// scrape returns the lines of /metrics by "name{labels}".
func scrape(t *testing.T, base string) map[string]float64 {
	body, err := get(t.Context(), base+"/metrics")
	require.NoError(t, err)
	lines := map[string]float64{}
	for line := range strings.Lines(string(body)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		v, err := strconv.ParseFloat(line[at+1:], 64)
		require.NoError(t, err, line)
		lines[line[:at]] = v
	}
	return lines
}

// total returns the sum of the lines with that name, and with a label if one is given.
func total(lines map[string]float64, name string, with ...string) (sum float64) {
	for key, v := range lines {
		if strings.HasPrefix(key, name+"{") && (len(with) == 0 || strings.Contains(key, with[0])) {
			sum += v
		}
	}
	return sum
}

// wantFigures are lines of /metrics when the work is done.
var wantFigures = map[string]float64{
	`retry_calls_total{retry_outcome="succeeded",retry_policy_name="fetch",retry_retried="false"}`:                       10,
	`retry_calls_total{retry_outcome="succeeded",retry_policy_name="fetch",retry_retried="true"}`:                        3,
	`retry_calls_total{retry_outcome="failed",retry_policy_name="fetch",retry_reason="exhausted",retry_retried="true"}`:  2,
	`retry_calls_total{retry_outcome="failed",retry_policy_name="fetch",retry_reason="permanent",retry_retried="false"}`: 1,
	`retry_calls_total{retry_outcome="failed",retry_policy_name="search",retry_reason="exhausted",retry_retried="true"}`: 1,
	`retry_calls_total{retry_outcome="failed",retry_policy_name="search",retry_reason="budget",retry_retried="false"}`:   3,
	`retry_budget_denials_total{retry_policy_name="search"}`:                                                             3,
	`retry_budget_tokens{retry_budget_name="search"}`:                                                                    0,
	`retry_attempt_duration_seconds_count{retry_outcome="failed",retry_policy_name="search"}`:                            6,
	`retry_call_duration_seconds_count{retry_outcome="failed",retry_policy_name="fetch"}`:                                3,
	`retry_call_attempts_bucket{retry_policy_name="fetch",le="1"}`:                                                       11, // one failed at once with a permanent error
	`retry_call_attempts_bucket{retry_policy_name="fetch",le="2"}`:                                                       14,
	`retry_call_wait_duration_seconds_bucket{retry_policy_name="fetch",le="0"}`:                                          11,
	`retry_pool_submitted_total{retry_pool_name="mail"}`:                                                                 8,
	`retry_pool_settled_total{retry_pool_name="mail",retry_pool_outcome="succeeded"}`:                                    7,
	`retry_pool_settled_total{retry_pool_name="mail",retry_pool_outcome="dead_lettered"}`:                                1,
	`retry_pool_retries_total{retry_pool_name="mail"}`:                                                                   3,
	`retry_pool_queue_duration_seconds_count{retry_pool_name="mail"}`:                                                    8,
	`retry_pool_item_duration_seconds_count{retry_pool_name="mail",retry_pool_outcome="succeeded"}`:                      7,
}

// With -keep the program serves its pages until it is interrupted, and leaves no goroutine.
func TestKeep(t *testing.T) {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, w, "127.0.0.1:0", true)
		_ = w.CloseWithError(err)
		ended <- err
	}()
	base := ""
	lines := bufio.NewScanner(r)
	for base == "" && lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
			base, _, _ = strings.Cut(at, "/metrics")
		}
	}
	require.NotEmpty(t, base)

	m := scrape(t, base)
	for key, want := range wantFigures {
		got, ok := m[key]
		assert.True(t, ok, key)
		assert.Equal(t, want, got, key)
	}
	assert.EqualValues(t, 28, total(m, "retry_calls_total"))
	for _, name := range []string{"attempts", "duration_seconds", "wait_duration_seconds"} {
		assert.EqualValues(t, 28, total(m, "retry_call_"+name+"_count"), name)
	}
	assert.EqualValues(t, 40, total(m, "retry_call_attempts_sum"))
	assert.EqualValues(t, 40, total(m, "retry_attempt_duration_seconds_count"))

	assertVars(t, base, m)
	assertHistory(t, base)
	response, err := http.Post(base+"/debug/retry", "text/plain", nil)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
	http.DefaultClient.CloseIdleConnections()

	cancel()
	require.NoError(t, <-ended)
	_, err = get(t.Context(), base+"/metrics")
	require.Error(t, err, "the server has ended")
	for i := 0; runtime.NumGoroutine() > before && i < 1e6; i++ {
		runtime.Gosched()
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before, "a goroutine was left")
}

// assertVars checks that expvar and Prometheus have the same figures.
func assertVars(t *testing.T, base string, m map[string]float64) {
	body, err := get(t.Context(), base+"/debug/vars")
	require.NoError(t, err)
	var vars struct{ Retry map[string]any }
	require.NoError(t, json.Unmarshal(body, &vars))
	for _, policy := range []string{"fetch", "search", "deliver"} {
		label := `retry_policy_name="` + policy + `"`
		assert.Equal(t, total(m, "retry_attempt_duration_seconds_count", label), vars.Retry[policy+" attempts"])
		assert.InDelta(t, total(m, "retry_call_wait_duration_seconds_sum", label), vars.Retry[policy+" seconds waited"], 1e-9)
		failed, _ := vars.Retry[policy+" failed"].(float64)
		succeeded, _ := vars.Retry[policy+" succeeded"].(float64)
		assert.Equal(t, total(m, "retry_calls_total", label), failed+succeeded)
	}
	assert.EqualValues(t, 0, vars.Retry["search tokens"])
	pool, _ := vars.Retry["mail pool"].(map[string]any)
	assert.EqualValues(t, 8, pool["Submitted"])
}

func assertHistory(t *testing.T, base string) {
	response, err := http.Get(base + "/debug/retry")
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
	var list []attempt
	require.NoError(t, json.NewDecoder(response.Body).Decode(&list))
	require.Len(t, list, 20, "the newest of 40")
	seen := map[string]int{}
	for _, a := range list {
		seen[a.Policy]++
		_, err := time.ParseDuration(a.Duration)
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), a.Start, time.Minute)
	}
	assert.Equal(t, 11, seen["deliver"])
	assert.Equal(t, "deliver", list[0].Policy)
	assert.Equal(t, 3, list[0].Number, "mail 8 is the last to fail for good")
	assert.Equal(t, "connection refused", list[0].Error)
}

// Without -keep the program prints its pages and ends.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	require.NoError(t, run(ctx, &out, "127.0.0.1:0", false))
	t.Log(out.String())
	work, end, _ := strings.Cut(out.String(), "== /metrics at the end\n")
	assert.Equal(t, `== /metrics while the pool is at work
retry_pool_capacity{retry_pool_name="mail"} 8
retry_pool_items{retry_pool_name="mail",retry_pool_state="`, work[:strings.Index(work, "parked")])
	assert.Contains(t, work, `retry_pool_items{retry_pool_name="mail",retry_pool_state="running"} 2`)
	waiting := 0
	for line := range strings.Lines(work) {
		if strings.Contains(line, "parked") || strings.Contains(line, "queued") {
			n, err := strconv.Atoi(strings.Fields(line)[1])
			require.NoError(t, err)
			waiting += n
		}
	}
	assert.Equal(t, 6, waiting, "the first one is parked, or its wait is over")
	for _, part := range []string{
		`retry_budget_denials_total{retry_policy_name="search"} 3`,
		"== /debug/vars\n{\n", `  "fetch attempts": 23,`,
		"== /debug/retry: the newest 5 of 20 attempts\ndeliver, attempt 3: connection refused\n",
	} {
		assert.Contains(t, end, part)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, io.Discard, "127.0.0.1:0", false), context.Canceled)
	require.ErrorContains(t, run(t.Context(), io.Discard, "127.0.0.1:-1", false), "port")
}

func TestJSON(t *testing.T) {
	h := retry.NewHistory(3)
	start := time.Date(2026, time.November, 24, 12, 0, 0, 0, time.UTC)
	text, err := json.Marshal(lastAttempts(h))
	require.NoError(t, err)
	assert.Equal(t, "[]", string(text))
	h.Add(retry.Attempt{Name: "fetch", Number: 1, Start: start, Duration: time.Millisecond, Elapsed: time.Millisecond, Delay: time.Second, Err: errors.New(`"x"`)})
	h.Add(retry.Attempt{Name: "fetch", Number: 2, Start: start, Waited: time.Second})
	text, err = json.Marshal(lastAttempts(h))
	require.NoError(t, err)
	assert.Equal(t, `[{"policy":"fetch","attempt":2,"start":"2026-11-24T12:00:00Z","waited":"1s","duration":"0s","elapsed":"0s"},`+
		`{"policy":"fetch","attempt":1,"start":"2026-11-24T12:00:00Z","waited":"0s","duration":"1ms","elapsed":"1ms","delay":"1s","error":"\"x\""}]`, string(text))
}
