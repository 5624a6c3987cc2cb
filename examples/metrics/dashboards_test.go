package main

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

const (
	alertsFile    = "../../retryotel/alerts.yaml"
	dashboardFile = "../../retryotel/grafana.json"
)

// The times of the scrapes. The pool is full at began and at working, and idle a minute after each.
var (
	began   = time.Date(2026, time.November, 26, 12, 0, 0, 0, time.UTC)
	working = began.Add(2 * time.Minute)
	after   = began.Add(3 * time.Minute)
)

// runAndScrape runs the program's work twice and stores what it exposes. It adds a policy whose calls all
// fail and one whose calls all succeed.
func runAndScrape(t *testing.T) *scraped {
	m, err := newTelemetry()
	require.NoError(t, err)
	defer func() { require.NoError(t, m.provider.Shutdown(context.Background())) }()
	s := newScraped()
	scrapeAt := func(at time.Time) error {
		page := httptest.NewRecorder()
		m.handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		s.scrape(t, page.Body.Bytes(), at)
		return nil
	}
	c, err := newCalls(m)
	require.NoError(t, err)
	p, err := newMailPool(m)
	require.NoError(t, err)
	storm := m.policy("storm", retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(0)))
	calm := m.policy("calm")
	for round := range 2 {
		require.NoError(t, c.run(t.Context()))
		require.Error(t, storm.Do(t.Context(), func(context.Context) error { return errRefused }))
		require.NoError(t, calm.Do(t.Context(), func(context.Context) error { return nil }))
		at := began.Add(time.Duration(round) * 2 * time.Minute)
		require.NoError(t, p.deliver(t.Context(), func() error { return scrapeAt(at) }))
		require.NoError(t, scrapeAt(at.Add(time.Minute)))
	}
	require.NoError(t, p.pool.Close(t.Context()))
	return s
}

// Each alert fires for its own trouble and for nothing else.
func TestAlerts(t *testing.T) {
	rules, errs := rulefmt.ParseFile(alertsFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}))
	require.Empty(t, errs)
	s := runAndScrape(t)
	fired := func(at time.Time) map[string][]string {
		all := map[string][]string{}
		for _, group := range rules.Groups {
			for _, rule := range group.Rules {
				require.NotEmpty(t, rule.Alert)
				for _, found := range s.ask(t, rule.Expr, at) {
					assert.Equal(t, "metrics", found.Metric.Get("job"), rule.Alert)
					all[rule.Alert] = append(all[rule.Alert], found.Metric.Get("retry_policy_name")+found.Metric.Get("retry_pool_name"))
				}
				slices.Sort(all[rule.Alert])
			}
		}
		return all
	}
	inTrouble := map[string][]string{
		"RetryBudgetDenied":  {"search"},
		"RetryAmplification": {"storm"},
		"RetryGiveUps":       {"deliver", "fetch", "search", "storm"},
	}
	assert.Equal(t, inTrouble, fired(after))
	inTrouble["RetryPoolFull"] = []string{"mail"}
	inTrouble["RetryGiveUps"] = []string{"fetch", "search", "storm"} // the last mail is still on its way
	assert.Equal(t, inTrouble, fired(working))
	assert.Empty(t, fired(began.Add(-time.Minute)))

	var named []string
	for _, rule := range rules.Groups[0].Rules {
		named = append(named, rule.Alert)
		assert.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
		assert.NotEmpty(t, rule.Annotations["description"], rule.Alert)
	}
	assert.Equal(t, []string{"RetryBudgetDenied", "RetryAmplification", "RetryGiveUps", "RetryPoolFull"}, named)
}

// dashboard is the part of grafana.json that the tests read.
type dashboard struct {
	Panels []struct {
		ID      int
		Type    string
		Title   string
		GridPos struct{ X, Y, W, H int }
		Targets []struct{ RefID, Expr string }
	}
	Templating struct {
		List []struct {
			Name, Type string
			Definition string
		}
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	text, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &d))
	return d
}

// Every expression of the dashboard has a value, and every label that it selects by exists.
func TestDashboard(t *testing.T) {
	d := readDashboard(t)
	s := runAndScrape(t)
	variables := strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$policy", ".*", "$pool", ".*")
	expressions := 0
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			expressions++
			expression := variables.Replace(target.Expr)
			require.NotContains(t, expression, "$", "%s: a variable that is not known", panel.Title)
			figures := 0
			for _, found := range s.ask(t, expression, after) {
				if !math.IsNaN(found.F) && !math.IsInf(found.F, 0) {
					figures++
				}
			}
			assert.Positive(t, figures, "%s %s: %s", panel.Title, target.RefID, expression)
		}
	}
	assert.Equal(t, 20, expressions)

	ofLabel := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)
	for _, variable := range d.Templating.List {
		if variable.Type != "query" {
			continue
		}
		query := ofLabel.FindStringSubmatch(variable.Definition)
		require.NotNil(t, query, variable.Definition)
		for _, found := range s.ask(t, variables.Replace(query[1]), after) {
			assert.NotEmpty(t, found.Metric.Get(query[2]), "%s: %s", variable.Name, found.Metric)
		}
		assert.NotEmpty(t, s.ask(t, variables.Replace(query[1]), after), variable.Name)
	}
}

// Some values of the dashboard, compared with values computed by hand.
func TestFigures(t *testing.T) {
	s := runAndScrape(t)
	for expression, want := range map[string]float64{
		`retry_pool_capacity`: 8,
		`sum(increase(retry_calls_total{retry_policy_name="storm"}[5m])) > bool 0`:                                                                                                             1,
		`sum(rate(retry_call_attempts_sum{retry_policy_name="storm"}[5m])) / sum(rate(retry_call_attempts_count{retry_policy_name="storm"}[5m]))`:                                              3,
		`sum(rate(retry_call_attempts_sum{retry_policy_name="calm"}[5m])) / sum(rate(retry_call_attempts_count{retry_policy_name="calm"}[5m]))`:                                                1,
		`1 - sum(rate(retry_call_wait_duration_seconds_bucket{retry_policy_name="fetch",le=~"0|0.0"}[5m])) / sum(rate(retry_call_wait_duration_seconds_count{retry_policy_name="fetch"}[5m]))`: 5.0 / 16,
	} {
		got := s.ask(t, expression, after)
		require.Len(t, got, 1, expression)
		assert.InDelta(t, want, got[0].F, 1e-9, expression)
	}
}

// A policy costs at most 60 series and a pool 55, as package retryotel says.
func TestSeries(t *testing.T) {
	s := runAndScrape(t)
	for label, most := range map[string]int{"retry_policy_name": 60, "retry_pool_name": 55, "retry_budget_name": 1} {
		count := map[string]int{}
		for _, one := range s.series {
			if name := one.labels.Get(label); name != "" {
				count[name]++
			}
		}
		assert.NotEmpty(t, count, label)
		for name, n := range count {
			assert.LessOrEqual(t, n, most, name)
		}
		t.Log(label, count)
	}
}

// Panels have their own number and place, and every expression selects the job.
func TestDashboardLayout(t *testing.T) {
	d := readDashboard(t)
	type cell struct{ x, y int }
	taken := map[cell]string{}
	ids := map[int]bool{}
	for _, panel := range d.Panels {
		assert.False(t, ids[panel.ID], "two panels have the number %d", panel.ID)
		ids[panel.ID] = true
		assert.NotEmpty(t, panel.Title)
		g := panel.GridPos
		assert.LessOrEqual(t, g.X+g.W, 24, panel.Title)
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				require.Empty(t, taken[cell{x, y}], "%s is under another panel", panel.Title)
				taken[cell{x, y}] = panel.Title
			}
		}
		for _, target := range panel.Targets {
			assert.Contains(t, target.Expr, `job=~"$job"`, panel.Title)
		}
	}
}

// Prometheus' own tool accepts the rules.
func TestPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	out, err := exec.CommandContext(t.Context(), tool, "check", "rules", alertsFile).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "4 rules found")
}
