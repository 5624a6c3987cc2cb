package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// The targets for retrypool.
const (
	mostBytes = 250                  // for each parked item
	mostPark  = time.Microsecond     // to park an item
	mostLate  = time.Second - window // from when the last item is due until all are done
)

// render writes the tables, and what was used to measure.
func render(m measurement) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %d parked items\n\n"+
		"Each item has failed once and waits; retrypool keeps no history of it. All items are due within %v. Each then runs a function "+
		"that does nothing, in one of %d workers if the contender has workers. Each contender is measured in its own process.\n\n"+
		"- bytes/item: live heap and stacks.\n"+
		"- to park: for retrypool this includes the submission and the failed attempt.\n"+
		"- late: from when the last item was due until all were done.\n"+
		"- sys: what the process took from the operating system until all were done. Many goroutines make it grow.\n\n"+
		"time.AfterFunc and goroutines have no bound, no order and no way to tell what is left. The other two have.\n\n",
		m.items, window, workers)
	b.WriteString("| | bytes/item | to park, ns/item | late | sys, bytes/item |\n|---|--:|--:|--:|--:|\n")
	for _, c := range contenders() {
		p := m.parked[c.id]
		fmt.Fprintf(&b, "| %s | %d | %d | %.2f s | %d |\n", name(c.name, c.ours), p.Bytes, p.Park.Nanoseconds(), p.Late.Seconds(), p.Sys)
	}
	ours := m.parked["retrypool"]
	b.WriteString("\n| target | measured | |\n|---|---|---|\n")
	target := func(promise, measured string, met bool) {
		verdict := "pass"
		if !met {
			verdict = "**miss**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", promise, measured, verdict)
	}
	target(fmt.Sprintf("a parked item takes at most %d bytes", mostBytes), fmt.Sprint(ours.Bytes), ours.Bytes <= mostBytes)
	target(fmt.Sprintf("it is parked in at most %v", mostPark), fmt.Sprintf("%d ns", ours.Park.Nanoseconds()), ours.Park <= mostPark)
	target(fmt.Sprintf("all fall due within %v and are done within 1 s", window),
		fmt.Sprintf("%.2f s", (ours.Late+window).Seconds()), ours.Late <= mostLate)
	fmt.Fprintf(&b, "\nTouching a page of memory for the first time takes %.2f µs on this machine. For the %d bytes that retrypool took "+
		"from the operating system for each item, that is %d ns of its time. A process that already has the memory does not spend "+
		"this time.\n", float64(m.touch)/1e3, ours.Sys, int64(m.touch)*int64(ours.Sys)/int64(os.Getpagesize()))

	sleep, park := m.throughput[0].rate, m.throughput[1].rate
	fmt.Fprintf(&b, "\n### Workers that sleep, and workers that go on\n\n"+
		"%d workers. Each attempt works for %v, and %.0f %% of the attempts fail. The backoff is exponential from %v with full jitter. "+
		"All times were a tenth of that for the measurement. A pool that parks its items does %.1f times the work of a pool whose "+
		"workers sleep.\n\n"+
		"| | items/s |\n|---|--:|\n", m.workers, work, 100*failures, base, park/sleep)
	for _, t := range m.throughput {
		fmt.Fprintf(&b, "| %s | %.0f |\n", name(t.name, t.ours), t.rate)
	}
	fmt.Fprintf(&b, "\nMeasured on %s with %s, %d cores: %s.\n", time.Now().Format(time.DateOnly), runtime.Version(),
		runtime.NumCPU(), version("k8s.io/client-go"))
	return b.String()
}

func name(text string, ours bool) string {
	if ours {
		return "**" + text + "**"
	}
	return text
}

// version returns the path and the version of a module that this program was built with.
func version(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return path + " " + m.Version
			}
		}
	}
	return path
}
