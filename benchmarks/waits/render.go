package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// atMost is the target under a context that can be cancelled: the time of retry divided by the best
// peer's. Most of that time is spent in the Go runtime.
const atMost = 1.05

// render writes the table, the cheapest first, and the targets.
func render(m measurement) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d goroutines run at the same time. Each makes %d calls, one after the other. Each call fails %d times, "+
		"waits %v after each failure, and then succeeds.\n\n"+
		"ns/retry is the processor time of the whole process (getrusage), divided by the number of retries. allocs/call is "+
		"for a call with all of its retries. In the columns \"cancellable\" each goroutine has its own context, which can be "+
		"cancelled. The libraries take turns for %d rounds; a figure is the median, and ± is the distance of the farthest round "+
		"from the median. The targets compare within a round: the median of the rounds' ratios.\n\n", m.calls, m.series, retries, m.wait, m.rounds)
	b.WriteString("| | ns/retry | ± | allocs/call | ns/retry, cancellable | ± | allocs/call, cancellable |\n" +
		"|---|--:|--:|--:|--:|--:|--:|\n")
	results := slices.Clone(m.results)
	slices.SortStableFunc(results, func(x, y result) int { return cmp.Compare(median(x.plain), median(y.plain)) })
	for _, r := range results {
		name := r.library.Name
		if r.library.Ours {
			name = "**" + name + "**"
		}
		fmt.Fprintf(&b, "| %s | %.0f | %.0f%% | %.1f | %.0f | %.0f%% | %.1f |\n", name, median(r.plain), spread(r.plain), r.allocs,
			median(r.cancellable), spread(r.cancellable), r.allocsCancel)
	}
	b.WriteString("\n| target | measured | |\n|---|---|---|\n")
	cancellable := func(r result) []float64 { return r.cancellable }
	writeTarget(&b, m, "retry", ": at most the best peer's time", 1, func(r result) []float64 { return r.plain })
	writeTarget(&b, m, "retry-no-history", fmt.Sprintf(", cancellable, no history: at most %.2f of the best peer's time", atMost), atMost, cancellable)
	writeTarget(&b, m, "retry", fmt.Sprintf(", cancellable: at most %.2f of the best peer's time", atMost), atMost, cancellable)
	b.WriteString("\nThe history is one allocation a failing call, and the garbage collector's work for it is in the figures. " +
		"No peer keeps one.\n")
	return b.String()
}

func writeTarget(b *strings.Builder, m measurement, id, promise string, most float64, values func(result) []float64) {
	var ours, best []float64
	name := ""
	for _, r := range m.results {
		switch ns := values(r); {
		case r.library.ID == id:
			ours = ns
		case !r.library.Ours && r.library.Path != "" && (best == nil || median(ns) < median(best)):
			best, name = ns, r.library.Name
		}
	}
	ratio := median(ratios(ours, best))
	verdict := "pass"
	if !(ratio <= most) {
		verdict = "**miss**"
	}
	fmt.Fprintf(b, "| a retry with a wait of %v%s | %.2f (%.0f ns, %s %.0f ns) | %s |\n", m.wait, promise, ratio, median(ours), name, median(best), verdict)
}

// ratios divides the values of each round. The machine's spells of slowness hit both.
func ratios(of, by []float64) []float64 {
	quotients := make([]float64, min(len(of), len(by)))
	for i := range quotients {
		quotients[i] = of[i] / by[i]
	}
	return quotients
}

// median returns the median of the values, or NaN if there are none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[len(sorted)/2]
}

// spread returns the distance of the farthest value from the median, in percent of the median.
func spread(values []float64) float64 {
	m := median(values)
	farthest := 0.0
	for _, v := range values {
		farthest = max(farthest, math.Abs(v-m))
	}
	return 100 * farthest / m
}
