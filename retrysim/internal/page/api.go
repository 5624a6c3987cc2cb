package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/seed-205ff063/retry/retrysim/internal/picture"
	"github.com/seed-205ff063/retry/retrysim/internal/report"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// api runs at most as many simulations at once as there are slots.
type api struct {
	limit time.Duration
	slots chan struct{}
}

// problem is the answer to a request that cannot be fulfilled.
type problem struct {
	Faults []report.Fault `json:"faults,omitempty"` // of policies
	Error  string         `json:"error,omitempty"`
}

// check says what is wrong with policies.
func (a api) check(w http.ResponseWriter, r *http.Request) {
	if _, err := policiesOf(r.URL.Query()); err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, problem{})
}

func policiesOf(q url.Values) ([]sim.Policy, error) {
	texts := q["p"]
	if len(texts) > maxPolicies {
		return nil, fmt.Errorf("%d policies are more than %d", len(texts), maxPolicies)
	}
	for i, text := range texts {
		if n := utf8.RuneCountInString(text); n > maxPolicyText {
			return nil, fmt.Errorf("policy %d has %d characters, which are more than %d", i+1, n, maxPolicyText)
		}
	}
	return report.Policies(texts)
}

// run runs a model.
func (a api) run(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), a.limit)
	defer cancel()
	result, err := a.simulate(ctx, r.URL.Query())
	switch {
	case ctx.Err() != nil:
		answer(w, http.StatusServiceUnavailable, problem{Error: fmt.Sprintf("this takes longer than %v here; choose smaller numbers", a.limit)})
	case err != nil:
		refuse(w, err)
	default:
		answer(w, http.StatusOK, result)
	}
}

func (a api) simulate(ctx context.Context, q url.Values) (any, error) {
	command, ok := report.Find(q.Get("model"))
	if !ok {
		return nil, fmt.Errorf("model: %q is none of plan, herd, occ and outage", q.Get("model"))
	}
	policies, err := policiesOf(q)
	if err != nil {
		return nil, err
	}
	scenario, err := command.Scenario(func(name string) (string, bool) { return q.Get(name), q.Has(name) })
	if err == nil {
		err = bounded(command.Name, &scenario)
	}
	if err != nil {
		return nil, err
	}
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	result, err := command.Run(ctx, scenario, policies)
	if err != nil {
		return nil, report.Explain(err)
	}
	return drawn(result, q)
}

// bounded keeps a scenario to what a page may ask for.
func bounded(model string, s *report.Scenario) error {
	switch model {
	case "herd":
		s.Herd.Retries = min(s.Herd.Retries, maxRetries)
		if s.Herd.Clients > maxClients {
			return fmt.Errorf("-clients: %d is above %d, the page's limit; the command has a higher one", s.Herd.Clients, maxClients)
		}
	case "occ":
		s.OCC.Trials = min(s.OCC.Trials, maxTrials)
		if most := slices.Max(s.OCC.Clients); most > maxOCC {
			return fmt.Errorf("-clients: %d is above %d, the page's limit; the command has a higher one", most, maxOCC)
		}
	case "outage":
		o := s.Outage
		calls := o.Rate * (o.Before + o.Down + o.After).Seconds()
		if calls > maxCalls {
			return fmt.Errorf("-rps: %.0f calls in all are above %d, the page's limit; the command has a higher one", calls, maxCalls)
		}
	}
	return nil
}

const maxOCC = 200

// result is the answer of run.
type result struct {
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
	Notes   []string   `json:"notes"`
	SVG     string     `json:"svg"`
}

func drawn(r report.Report, q url.Values) (result, error) {
	width, err := strconv.Atoi(q.Get("width"))
	if err != nil {
		width = report.DefaultWidth
	}
	theme := picture.Light
	if q.Get("theme") == "dark" {
		theme = picture.Dark
	}
	svg, err := picture.SVG(r.Figure, min(max(width, minWidth), maxWidth), theme)
	if err != nil {
		return result{}, err
	}
	out := result{Title: r.Title, Notes: r.Notes, SVG: string(svg)}
	for _, c := range r.Columns {
		out.Columns = append(out.Columns, c.Heading)
	}
	for _, row := range r.Rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, c.Text)
		}
		out.Rows = append(out.Rows, cells)
	}
	return out, nil
}

// refuse says what is wrong with the request. That is an answer like any other: a page in which
// somebody is typing asks many questions that make no sense yet, and a status of 4xx would be
// an error in the browser's console each time.
func refuse(w http.ResponseWriter, err error) {
	var faults report.FaultsError
	if errors.As(err, &faults) {
		answer(w, http.StatusOK, problem{Faults: faults})
		return
	}
	answer(w, http.StatusOK, problem{Error: err.Error()})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // the client has gone
}
