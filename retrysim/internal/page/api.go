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

// api runs simulations for the page, and at most as many at once as there are slots.
type api struct {
	limit time.Duration // of a simulation
	slots chan struct{}
}

// problem is the answer to a request that has an error.
type problem struct {
	Faults []report.Fault `json:"faults,omitempty"` // of policies
	Error  string         `json:"error,omitempty"`
}

// check answers with the errors in the texts of policies.
func (a api) check(w http.ResponseWriter, r *http.Request) {
	if _, err := parsePolicies(r.URL.Query()); err != nil {
		reject(w, err)
		return
	}
	respond(w, http.StatusOK, problem{})
}

// parsePolicies parses the policies of a request.
func parsePolicies(q url.Values) ([]sim.Policy, error) {
	texts := q["p"]
	if len(texts) > maxPolicies {
		return nil, fmt.Errorf("%d policies are too many; the limit is %d", len(texts), maxPolicies)
	}
	for i, text := range texts {
		if n := utf8.RuneCountInString(text); n > maxPolicyText {
			return nil, fmt.Errorf("policy %d has %d characters; the limit is %d", i+1, n, maxPolicyText)
		}
	}
	return report.Policies(texts)
}

// run answers with the result of a model.
func (a api) run(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), a.limit)
	defer cancel()
	result, err := a.simulate(ctx, r.URL.Query())
	switch {
	case ctx.Err() != nil:
		respond(w, http.StatusServiceUnavailable, problem{Error: fmt.Sprintf("this takes longer than %v here; choose smaller numbers", a.limit)})
	case err != nil:
		reject(w, err)
	default:
		respond(w, http.StatusOK, result)
	}
}

// simulate waits for a slot and runs the model.
func (a api) simulate(ctx context.Context, q url.Values) (any, error) {
	command, ok := report.Find(q.Get("model"))
	if !ok {
		return nil, fmt.Errorf("model: %q is not plan, herd, occ or outage", q.Get("model"))
	}
	policies, err := parsePolicies(q)
	if err != nil {
		return nil, err
	}
	scenario, err := command.Scenario(func(name string) (string, bool) { return q.Get(name), q.Has(name) })
	if err == nil {
		err = limitScenario(command.Name, &scenario)
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
	return newResult(result, q)
}

// limitScenario applies the limits of the page. It lowers retries and trials. Other numbers above
// a limit are an error.
func limitScenario(model string, s *report.Scenario) error {
	switch model {
	case "herd":
		s.Herd.Retries = min(s.Herd.Retries, maxRetries)
		if s.Herd.Clients > maxClients {
			return fmt.Errorf("-clients: %d is above %d, the page's limit; the command has a higher limit", s.Herd.Clients, maxClients)
		}
	case "occ":
		s.OCC.Trials = min(s.OCC.Trials, maxTrials)
		if most := slices.Max(s.OCC.Clients); most > maxOCCClients {
			return fmt.Errorf("-clients: %d is above %d, the page's limit; the command has a higher limit", most, maxOCCClients)
		}
	case "outage":
		o := s.Outage
		calls := o.Rate * (o.Before + o.Down + o.After).Seconds()
		if calls > maxCalls {
			return fmt.Errorf("-rps: %.0f calls in all are above %d, the page's limit; the command has a higher limit", calls, maxCalls)
		}
	}
	return nil
}

// result is the answer to a successful run.
type result struct {
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
	Notes   []string   `json:"notes"`
	SVG     string     `json:"svg"`
}

// newResult draws the picture and returns the answer.
func newResult(r report.Report, q url.Values) (result, error) {
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
	columns, rows := tableTexts(r)
	return result{Title: r.Title, Columns: columns, Rows: rows, Notes: r.Notes, SVG: string(svg)}, nil
}

// tableTexts returns the headings and the texts of the cells.
func tableTexts(r report.Report) (columns []string, rows [][]string) {
	for _, c := range r.Columns {
		columns = append(columns, c.Heading)
	}
	for _, row := range r.Rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, c.Text)
		}
		rows = append(rows, cells)
	}
	return columns, rows
}

// reject answers with the error of a request. The status is 200: while somebody types, the page
// sends many requests with errors, and the browser would log each status of 4xx in its console.
func reject(w http.ResponseWriter, err error) {
	var faults report.FaultsError
	if errors.As(err, &faults) {
		respond(w, http.StatusOK, problem{Faults: faults})
		return
	}
	respond(w, http.StatusOK, problem{Error: err.Error()})
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // an error means that the client has gone
}
