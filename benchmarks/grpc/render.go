package main

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// render writes the tables, and what was used to measure.
func render(m measurement) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### Nothing fails\n\n"+
		"Calls over the loopback interface, one after the other on one connection, with client and server in one process. "+
		"The contenders take turns. The figures are medians of %d batches of %d calls; the ratio is the median of the ratios "+
		"of processor time within a turn. Allocations are those beyond plain gRPC's. failsafegrpc does not retry streams.\n\n",
		m.batches, m.batch)
	for i, k := range kinds() {
		fmt.Fprintf(&b, "%s (plain gRPC: %.0f allocations)\n\n| | µs/call | µs of processor time | of plain gRPC's | allocs/call |\n|---|--:|--:|--:|--:|\n",
			k.name, m.costs[0].kinds[i].allocs)
		for _, c := range m.costs {
			f := c.kinds[i]
			fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.1f %% | %+.0f |\n", name(c.contender), f.took, f.cpu, 100*f.ratio, math.Round(f.allocs-m.costs[0].kinds[i].allocs)+0)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "### Something fails\n\nAt most %d attempts with waits of %v. The service config retries UNAVAILABLE and "+
		"RESOURCE_EXHAUSTED for all methods. go-grpc-middleware and failsafegrpc retry their default codes.\n\n", attempts, wait)
	b.WriteString("| situation | counted |")
	for _, c := range rivals() {
		fmt.Fprintf(&b, " %s |", name(c))
	}
	b.WriteString("\n|---|---|" + strings.Repeat("--:|", len(rivals())) + "\n")
	for _, row := range m.behaviours {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", row.situation, row.unit, strings.Join(row.found, " | "))
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

// versions lists the modules of the other contenders with their versions.
func versions() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var list []string
	for _, m := range info.Deps {
		if slices.ContainsFunc(contenders(), func(c contender) bool { return c.path == m.Path }) {
			list = append(list, m.Path+" "+m.Version)
		}
	}
	return list
}
