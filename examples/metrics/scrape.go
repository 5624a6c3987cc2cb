package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// scraper prints parts of the pages of the server at base.
type scraper struct {
	w    io.Writer
	base string
}

// all prints a part of each of the three pages.
func (s scraper) all(ctx context.Context) error {
	err := s.metrics(ctx, "at the end", "retry_calls_total", "retry_budget_", "retry_call_attempts_sum",
		"retry_attempt_duration_seconds_count", "retry_pool_items", "retry_pool_settled_total", "retry_pool_submitted_total")
	if err != nil {
		return err
	}
	if err := s.vars(ctx); err != nil {
		return err
	}
	return s.attempts(ctx)
}

// metrics prints the lines of /metrics that begin with one of the prefixes.
func (s scraper) metrics(ctx context.Context, when string, prefixes ...string) error {
	body, err := get(ctx, s.base+"/metrics")
	if err != nil {
		return err
	}
	fmt.Fprintln(s.w, "== /metrics", when)
	for line := range strings.Lines(string(body)) {
		for _, prefix := range prefixes {
			if strings.HasPrefix(line, prefix) {
				fmt.Fprint(s.w, line)
			}
		}
	}
	return nil
}

// vars prints the counts of countingHooks.
func (s scraper) vars(ctx context.Context) error {
	body, err := get(ctx, s.base+"/debug/vars")
	if err != nil {
		return err
	}
	var all struct{ Retry json.RawMessage }
	if err := json.Unmarshal(body, &all); err != nil {
		return err
	}
	var lines bytes.Buffer
	if err := json.Indent(&lines, all.Retry, "", "  "); err != nil {
		return err
	}
	fmt.Fprintf(s.w, "== /debug/vars\n%s\n", lines.String())
	return nil
}

// attempts prints the newest attempts of the history.
func (s scraper) attempts(ctx context.Context) error {
	body, err := get(ctx, s.base+"/debug/retry")
	if err != nil {
		return err
	}
	var list []attempt
	if err := json.Unmarshal(body, &list); err != nil {
		return err
	}
	fmt.Fprintf(s.w, "== /debug/retry: the newest 5 of %d attempts\n", len(list))
	for _, a := range list[:min(5, len(list))] {
		result := "succeeded"
		if a.Error != "" {
			result = a.Error
		}
		fmt.Fprintf(s.w, "%s, attempt %d: %s\n", a.Policy, a.Number, result)
	}
	return nil
}

// get returns the page at the URL.
func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Close = true // leave no connection open when the program ends
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}
