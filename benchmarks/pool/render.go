package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// What an item of ours may take, and what its parking; and how long the burst.
const (
	mostBytes = 250
	mostPark  = time.Microsecond
	mostLate  = time.Second - window
)

// render writes the tables and what they were measured with.
func render(m measurement) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %d parked items\n\n"+
		"Each item has failed once, with no history, and waits; all fall due within %v, and then a function runs that does nothing, "+
		"in one of %d workers where there are workers. Bytes are live heap and stacks, an item; the time to park includes, for retrypool, "+
		"the submission and the failing attempt; late is how long after the last item was due all were done; sys is what was taken from the "+
		"operating system in all, which a crowd of goroutines makes grow. A process measures one. time.AfterFunc and a goroutine "+
		"each have no bound, no order and no way to say what is left; the others have.\n\n", m.items, window, workers)
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
	fmt.Fprintf(&b, "\nTo touch a page of memory for the first time takes %.2f µs on this machine, which for the %d bytes that an item "+
		"of retrypool had taken from the operating system is %d ns of its time; a process that has had the memory before does not "+
		"spend it again.\n", float64(m.touch)/1e3, ours.Sys, int64(m.touch)*int64(ours.Sys)/int64(os.Getpagesize()))

	sleep, park := m.throughput[0].rate, m.throughput[1].rate
	fmt.Fprintf(&b, "\n### Workers that sleep, and workers that go on\n\n"+
		"%d workers, %v of work, of which %.0f %% fail, and exponential backoff from %v with full jitter; measured with all times a tenth of "+
		"that. A pool that parks its items does %.1f times the work.\n\n"+
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

// version is the path of a module and its version, as the program was built of it.
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
