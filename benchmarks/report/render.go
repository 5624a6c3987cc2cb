package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-205ff063/retry/benchmarks"
)

// render writes the whole report. Every figure in it is computed.
func render(m *measurement) string {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\n" +
		"What retry costs, side by side with a bare call, a hand-written loop, and the libraries that Go programs use for " +
		"retries today. Each is used as its documentation says, built ahead as far as it allows, and set to do the same work; " +
		"a test in [benchmarks](benchmarks) counts the calls. This file is written by a program there and holds no figure " +
		"typed by hand. To make it again:\n\n" +
		"    cd benchmarks && go run ./report\n\n")
	writeSetup(&b, m)
	writeSummary(&b, m)
	writeTargets(&b, m)
	writeClock(&b, m)
	for _, c := range benchmarks.Cases() {
		writeCase(&b, m, c)
	}
	writeDelays(&b, m)
	fmt.Fprintf(&b, "## Retries with waits of some milliseconds\n\nWhat a retry costs when its wait is a real one "+
		"(`go run ./waits`).\n\n%s\n", m.Waits)
	writeWaiting(&b, m)
	writeWatching(&b, m)
	fmt.Fprintf(&b, "## HTTP\n\nretryhttp and the retrying HTTP clients of others (`go run ./http`).\n\n%s\n", m.HTTP)
	fmt.Fprintf(&b, "## Worker pool\n\nretrypool and other ways to hold what has to wait (`go run ./pool`).\n\n%s\n", m.Pool)
	fmt.Fprintf(&b, "## What each does\n\nThe cost is not all: what the libraries do in four situations "+
		"(`go run ./behaviour`).\n\n%s", m.Behaviour)
	return b.String()
}

// writeSetup says where and how it was measured.
func writeSetup(b *strings.Builder, m *measurement) {
	fmt.Fprintf(b, "Measured on %s: %s, %s, %d cores, %s", m.Date, m.Go, m.CPU, m.Cores, m.System)
	if m.Load != "" {
		fmt.Fprintf(b, ", load %s before", m.Load)
	}
	fmt.Fprintf(b, ". Every benchmark ran %d times for %v, each round in a process of its own; a figure is the median of its runs, and ± how far the "+
		"farthest is from it.\n\n", m.rounds, m.benchtime)
	var used []string
	for _, l := range benchmarks.Peers() {
		used = append(used, fmt.Sprintf("%s %s", l.Path, m.Versions[l.Path]))
	}
	fmt.Fprintf(b, "Versions: %s; retry as it is in this tree.\n\n", strings.Join(used, ", "))
}

// writeSummary says in prose what the tables show.
func writeSummary(b *strings.Builder, m *measurement) {
	first := func(id string) float64 { return m.ns("Call/first/" + id) }
	ours, clock := first("retry"), m.ns("Clock/since")
	fmt.Fprintf(b, "A call that succeeds at once takes %s ns with retry, %s ns of them for reading the clock once: it knows "+
		"when it began, should it fail.", nanoseconds(ours), nanoseconds(clock))
	var read, none []string
	for _, l := range benchmarks.Peers() {
		text := fmt.Sprintf("%s %s ns", l.Name, nanoseconds(first(l.ID)))
		if l.Clock == "no" {
			none = append(none, text)
		} else {
			read = append(read, text)
		}
	}
	fmt.Fprintf(b, " Of the peers these read it too: %s. These read none and do not know how long a call took: %s.\n\n",
		strings.Join(read, ", "), strings.Join(none, ", "))
}

// writeTargets compares the promises with what was measured.
func writeTargets(b *strings.Builder, m *measurement) {
	b.WriteString("## Targets\n\n| target | measured | |\n|---|---|---|\n")
	var missed []target
	all := targets(m)
	for _, t := range all {
		verdict := "pass"
		if !t.met {
			verdict = "**miss**"
			missed = append(missed, t)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", t.promise, t.measured, verdict)
	}
	fmt.Fprintf(b, "\n%d of %d are met.", len(all)-len(missed), len(all))
	if len(missed) == 0 {
		b.WriteString("\n\n")
		return
	}
	b.WriteString(" Missed:\n\n")
	for _, t := range missed {
		fmt.Fprintf(b, "- %s: %s\n", t.promise, t.why)
	}
	b.WriteString("\n")
}

// writeClock shows what knowing the time costs, and who does.
func writeClock(b *strings.Builder, m *measurement) {
	b.WriteString("## The clock\n\n" +
		"retry reads the monotonic clock once before the first attempt, and derives the wall clock only when an attempt " +
		"failed. What a reading costs here:\n\n")
	writeRows(b, []row{
		newRow("time.Now", false, m.Timings["Clock/now"]),
		newRow("time.Since of a fixed time, which reads the monotonic clock alone", false, m.Timings["Clock/since"]),
	})
	b.WriteString("What a call that succeeds at once reads:\n\n| | clock |\n|---|---|\n")
	for _, l := range benchmarks.Libraries() {
		if l.Clock != "" {
			fmt.Fprintf(b, "| %s | %s |\n", name(l.Name, l.Ours), l.Clock)
		}
	}
	b.WriteString("\n")
}

func writeCase(b *strings.Builder, m *measurement, c benchmarks.Case) {
	fmt.Fprintf(b, "## %s\n\n%s\n\n", c.Title, c.About)
	var rows []row
	for _, l := range benchmarks.Libraries() {
		if t, ok := m.Timings["Call/"+c.ID+"/"+l.ID]; ok {
			rows = append(rows, newRow(l.Name, l.Ours, t))
		}
	}
	writeRows(b, rows)
}

func writeDelays(b *strings.Builder, m *measurement) {
	fmt.Fprintf(b, "## %s\n\n%s\n\n", benchmarks.DelayTitle, benchmarks.DelayAbout)
	var rows []row
	for _, d := range benchmarks.Delays() {
		if t, ok := m.Timings["Delay/"+d.ID]; ok {
			rows = append(rows, newRow(d.Name, d.Ours, t))
		}
	}
	writeRows(b, rows)
}

// row is a line of a table of timings.
type row struct {
	name                      string
	ours                      bool
	ns, spread, bytes, allocs float64
}

func newRow(name string, ours bool, t timing) row {
	return row{name, ours, median(t.ns), spread(t.ns), median(t.bytes), median(t.allocs)}
}

// writeRows writes a table, the fastest first.
func writeRows(b *strings.Builder, rows []row) {
	slices.SortStableFunc(rows, func(x, y row) int { return cmp.Compare(x.ns, y.ns) })
	b.WriteString("| | ns/op | ± | B/op | allocs/op |\n|---|--:|--:|--:|--:|\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s | %.0f%% | %.0f | %.0f |\n", name(r.name, r.ours), nanoseconds(r.ns), r.spread, r.bytes, r.allocs)
	}
	b.WriteString("\n")
}

// writeWaiting writes the table of what a waiting call takes, the least first.
func writeWaiting(b *strings.Builder, m *measurement) {
	fmt.Fprintf(b, "## %d waiting calls\n\n"+
		"Bytes for each call that waits for an hour after a failed attempt, in its goroutine, measured in a process of its own: "+
		"stack, live heap, and what was taken from the operating system (garbage and headroom included). The function does "+
		"nothing; one that does real work may have grown the stack already. A stack doubles when it is full and is not shrunk "+
		"while the call waits, so a frame above the call can decide: the second column has one of %d bytes.\n\n", m.calls, benchmarks.FrameBytes)
	b.WriteString("| | stack | stack, one frame above | heap | sys | stack, cancellable | heap, cancellable | sys, cancellable |\n" +
		"|---|--:|--:|--:|--:|--:|--:|--:|\n")
	libraries := benchmarks.WaitingLibraries()
	size := func(l benchmarks.Library) int { return m.Background[l.ID].Stack + m.Background[l.ID].Heap }
	slices.SortStableFunc(libraries, func(x, y benchmarks.Library) int { return cmp.Compare(size(x), size(y)) })
	for _, l := range libraries {
		x, y := m.Background[l.ID], m.Waiting[l.ID]
		fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %d | %d | %d |\n", name(l.Name, l.Ours),
			x.Stack, m.Framed[l.ID].Stack, x.Heap, x.Sys, y.Stack, y.Heap, y.Sys)
	}
	b.WriteString("\n")
}

// writeWatching writes the table of what it costs to watch a call, in the order of Watchings.
func writeWatching(b *strings.Builder, m *measurement) {
	fmt.Fprintf(b, "## %s\n\n%s Versions: go.opentelemetry.io/otel %s.\n\n", benchmarks.WatchTitle, benchmarks.WatchAbout,
		m.Versions["go.opentelemetry.io/otel"])
	b.WriteString("| | first try, ns | ± | allocs | third try, ns | ± | allocs |\n|---|--:|--:|--:|--:|--:|--:|\n")
	for _, w := range benchmarks.Watchings() {
		x := newRow("", false, m.Timings["Watch/first/"+w.ID])
		y := newRow("", false, m.Timings["Watch/third/"+w.ID])
		fmt.Fprintf(b, "| %s | %s | %.0f%% | %.0f | %s | %.0f%% | %.0f |\n", w.Name,
			nanoseconds(x.ns), x.spread, x.allocs, nanoseconds(y.ns), y.spread, y.allocs)
	}
	b.WriteString("\n")
}

func name(text string, ours bool) string {
	if ours {
		return "**" + text + "**"
	}
	return text
}
