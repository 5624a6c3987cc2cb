package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// render writes the tables, and what was used to measure.
func render(m measurement) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### A server that fails every request once\n\n"+
		"%d workers send %d GET requests to one server. It answers each request with 503 and a body first, and with 200 when "+
		"the request is sent again. All clients make at most %d attempts without waits. Allocations are those of a request "+
		"with its two attempts, including the server's.\n\n"+
		"At the end every response has been read and closed. A connection that is still open then is idle if it can be used "+
		"again, and leaked if `CloseIdleConnections` does not close it. The requests share a context that outlives them, because "+
		"the end of a request's context closes what it leaked. The figures are medians of %d rounds.\n\n",
		m.workers, m.requests, attempts, m.rounds)
	b.WriteString("| error body | | requests/s | allocs/request | connections opened | idle at the end | leaked | leaked, seen by the server |\n" +
		"|--:|---|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range m.free {
		fmt.Fprintf(&b, "| %s | %s | %.0f | %.0f | %.0f | %.0f | %s | %.0f |\n", size(r.errorBody), name(r.contender),
			r.rate, r.allocs, r.opened, r.idle, boldIfAny(r.leaked), r.seen)
	}

	fmt.Fprintf(&b, "\n### The same with MaxConnsPerHost = %d\n\n"+
		"A leaked connection counts against the limit. A client that has leaked %d waits forever; here it is stopped after %v.\n\n",
		maxConns, maxConns, m.limit)
	b.WriteString("| error body | | answered | requests/s | connections opened | leaked |\n|--:|---|--:|--:|--:|--:|\n")
	for _, r := range m.limited {
		answered, rate := fmt.Sprintf("%.0f of %d", r.answered, m.requests), fmt.Sprintf("%.0f", r.rate)
		if r.answered < float64(m.requests) {
			answered, rate = "**"+answered+"**", "hangs"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.0f | %s |\n", size(r.errorBody), name(r.contender),
			answered, rate, r.opened, boldIfAny(r.leaked))
	}

	fmt.Fprintf(&b, "\n### Nothing fails\n\n"+
		"GET requests over the loopback interface, one after the other on one connection. The clients take turns. The figures "+
		"are medians of %d batches of %d requests; the ratio is the median of the ratios within a turn. The other columns are "+
		"the client alone, on a transport that answers without a network: its time, and its allocations beyond those of "+
		"net/http, for a GET and for a POST with a body.\n\n",
		m.batches, m.batch)
	b.WriteString("| | µs/request | of net/http | ns/request without a network | GET: allocs | POST: allocs |\n|---|--:|--:|--:|--:|--:|\n")
	for _, r := range m.calm {
		get, post := fmt.Sprintf("%.0f", r.get), fmt.Sprintf("%.0f", r.post)
		if r.contender.name != plain.name {
			get, post = fmt.Sprintf("%+.0f", r.get-m.calm[0].get), fmt.Sprintf("%+.0f", r.post-m.calm[0].post)
		}
		fmt.Fprintf(&b, "| %s | %.1f | %.1f %% | %d | %s | %s |\n", name(r.contender),
			float64(r.perRequest.Nanoseconds())/1000, 100*r.ratio, r.bare.Nanoseconds(), get, post)
	}
	fmt.Fprintf(&b, "\nMeasured on %s with %s, %d cores: %s.\n", time.Now().Format(time.DateOnly), runtime.Version(),
		runtime.NumCPU(), strings.Join(versions(), ", "))
	return b.String()
}

func name(c contender) string {
	if c.ours {
		return "**" + c.name + "**"
	}
	return c.name
}

// boldIfAny formats a number of leaked connections.
func boldIfAny(leaked float64) string {
	if leaked > 0 {
		return fmt.Sprintf("**%.0f**", leaked)
	}
	return "0"
}

func size(bytes int) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%d MiB", bytes>>20)
	case bytes >= 1<<10:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprint(bytes)
}

// versions lists the modules of the other clients with their versions.
func versions() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var list []string
	for _, m := range info.Deps {
		if slices.ContainsFunc(peers(), func(c contender) bool { return c.path == m.Path }) {
			list = append(list, m.Path+" "+m.Version)
		}
	}
	return list
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}
