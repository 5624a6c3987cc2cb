package main

import (
	"fmt"
	"runtime"
	"strings"
)

// render writes the tables, and what was used to measure.
func render(s settings, tables []table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d messages of 100 bytes, %d workers. The contenders take turns for %d rounds; the figures are medians. "+
		"The processor time is that of client and server. %s, %d processors.\n",
		s.messages, s.workers, s.rounds, runtime.Version(), runtime.GOMAXPROCS(0))
	for _, t := range tables {
		fmt.Fprintf(&b, "\n### %s\n\n| | µs a message | × | processor, µs | × |\n|---|--:|--:|--:|--:|\n", t.title)
		base := t.cost[0]
		for i, c := range contenders() {
			name := c.name
			if c.ours {
				name = "**" + name + "**"
			}
			wall, cpu := t.cost[i].wall, t.cost[i].processor
			fmt.Fprintf(&b, "| %s | %.1f | %.2f | %.1f | %.2f |\n", name,
				wall.Seconds()*1e6, float64(wall)/float64(base.wall),
				cpu.Seconds()*1e6, float64(cpu)/float64(base.processor))
		}
	}
	return b.String()
}
