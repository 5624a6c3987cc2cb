package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// atMost is how retry is to compare with the best peer under a context that can be cancelled,
// where most of the time is the runtime's.
const atMost = 1.05

// render writes the targets and the table, the cheapest first.
func render(m measurement) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d calls at once, each of which fails %d times with waits of %v and then succeeds, %d such calls one after "+
		"the other: processor time of the process, by getrusage, for each retry. Cancellable: every goroutine has a context of "+
		"its own that can be cancelled. Allocations are those of a call with its retries. Medians of %d rounds, in which the "+
		"libraries take turns; ± is how far the farthest is from it.\n\n", m.calls, retries, m.wait, m.series, m.rounds)
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
	writeTarget(&b, m, "without cancellation ahead of the best peer", 1, func(r result) []float64 { return r.plain })
	writeTarget(&b, m, fmt.Sprintf("with it level with the best peer (at most %.2f)", atMost), atMost,
		func(r result) []float64 { return r.cancellable })
	return b.String()
}

func writeTarget(b *strings.Builder, m measurement, promise string, most float64, values func(result) []float64) {
	ours, best, name := math.NaN(), math.Inf(1), ""
	for _, r := range m.results {
		switch ns := median(values(r)); {
		case r.library.ID == "retry":
			ours = ns
		case !r.library.Ours && r.library.Path != "" && ns < best:
			best, name = ns, r.library.Name
		}
	}
	verdict := "pass"
	if !(ours/best <= most) {
		verdict = "**miss**"
	}
	fmt.Fprintf(b, "| a retry with a wait of %v, %s | %.2f (%.0f ns, %s %.0f ns) | %s |\n", m.wait, promise, ours/best, ours, name, best, verdict)
}

// median returns the middle of the values.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[len(sorted)/2]
}

// spread returns how far the value farthest from the median is from it, in percent.
func spread(values []float64) float64 {
	m := median(values)
	farthest := 0.0
	for _, v := range values {
		farthest = max(farthest, math.Abs(v-m))
	}
	return 100 * farthest / m
}
