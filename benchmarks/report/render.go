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
		"The cost of retry beside a bare call, a hand-written loop, and the libraries that Go programs use for retries today. " +
		"Each library is used as its documentation says. What can be built before the call is built before it. All do the " +
		"same work: a test in [benchmarks](benchmarks) counts the calls.\n\n" +
		"A program writes this file; no figure in it is typed by hand. To make it again:\n\n" +
		"    cd benchmarks && go run ./report\n\n")
	writeSetup(&b, m)
	writeSummary(&b, m)
	writeTargets(&b, m)
	writeClock(&b, m)
	for _, c := range benchmarks.Cases() {
		writeCase(&b, m, c)
	}
	writeDelays(&b, m)
	fmt.Fprintf(&b, "## Retries with waits of some milliseconds\n\nThe cost of a retry that really waits "+
		"(`go run ./waits`).\n\n%s\n", m.Waits)
	writeWaiting(&b, m)
	writeWatching(&b, m)
	fmt.Fprintf(&b, "## HTTP\n\nretryhttp and other HTTP clients that retry (`go run ./http`).\n\n%s\n", m.HTTP)
	fmt.Fprintf(&b, "## gRPC\n\nretrygrpc, gRPC's own retries and the interceptors of others (`go run ./grpc`).\n\n%s\n", m.GRPC)
	fmt.Fprintf(&b, "## Worker pool\n\nretrypool and other ways to hold items until they are due (`go run ./pool`).\n\n%s\n", m.Pool)
	fmt.Fprintf(&b, "## NATS JetStream\n\nretrynats and what the client offers by itself (`go run ./nats`).\n\n%s\n", m.NATS)
	if m.River != "" {
		fmt.Fprintf(&b, "## River\n\nretryriver and River's own retries on one PostgreSQL server (`go run ./river -dsn ...`).\n\n%s\n", m.River)
	}
	fmt.Fprintf(&b, "## What each does\n\nCost is not everything. This is what the libraries do in four situations "+
		"(`go run ./behaviour`).\n\n%s", m.Behaviour)
	return b.String()
}

// writeSetup writes where and how it was measured.
func writeSetup(b *strings.Builder, m *measurement) {
	fmt.Fprintf(b, "Measured on %s: %s, %s, %d cores, %s", m.Date, m.Go, m.CPU, m.Cores, m.System)
	if m.Load != "" {
		fmt.Fprintf(b, ", load %s before the run", m.Load)
	}
	fmt.Fprintf(b, ". Every benchmark ran %d times for %v, each time in its own process. A figure is the median of these runs; "+
		"± is the distance of the farthest run from the median.\n\n", m.rounds, m.benchtime)
	var used []string
	for _, l := range benchmarks.Peers() {
		used = append(used, fmt.Sprintf("%s %s", l.Path, m.Versions[l.Path]))
	}
	fmt.Fprintf(b, "Versions: %s; retry as in this tree.\n\n", strings.Join(used, ", "))
}

// writeSummary writes in prose what the tables show.
func writeSummary(b *strings.Builder, m *measurement) {
	first := func(id string) float64 { return m.ns("Call/first/" + id) }
	ours, clock := first("retry"), m.ns("Clock/since")
	fmt.Fprintf(b, "A call that succeeds at once takes %s ns with retry. %s ns of these are one reading of the clock: if the "+
		"call fails, it knows when it started.", nanoseconds(ours), nanoseconds(clock))
	var read, none []string
	for _, l := range benchmarks.Peers() {
		text := fmt.Sprintf("%s %s ns", l.Name, nanoseconds(first(l.ID)))
		if l.Clock == "no" {
			none = append(none, text)
		} else {
			read = append(read, text)
		}
	}
	fmt.Fprintf(b, " These peers read the clock too: %s. These do not, and cannot tell how long a call took: %s.\n\n",
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
	fmt.Fprintf(b, "\n%d of %d targets are met.", len(all)-len(missed), len(all))
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

// writeClock shows what a reading of the clock costs, and which libraries read it.
func writeClock(b *strings.Builder, m *measurement) {
	b.WriteString("## The clock\n\n" +
		"retry reads the monotonic clock once before the first attempt. It computes wall-clock times only after an attempt " +
		"failed. The cost of one reading here:\n\n")
	writeRows(b, []row{
		newRow("time.Now", false, m.Timings["Clock/now"]),
		newRow("time.Since of a fixed time, which reads the monotonic clock alone", false, m.Timings["Clock/since"]),
	})
	b.WriteString("How often a call that succeeds at once reads the clock:\n\n| | clock |\n|---|---|\n")
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

// row is a row of a table of timings.
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

// writeWaiting writes the table of the memory of a waiting call, the smallest first.
func writeWaiting(b *strings.Builder, m *measurement) {
	fmt.Fprintf(b, "## %d waiting calls\n\n"+
		"Each call runs in its own goroutine and waits for an hour after a failed attempt. Each library is measured in its own "+
		"process. The figures are bytes for each call: stack, live heap, and what the process took from the operating system, "+
		"including garbage and headroom.\n\n"+
		"The function does nothing; a function that does real work may have grown the stack already. A stack doubles when it is "+
		"full, and does not shrink while the call waits, so a single frame above the call can double it. The second column has "+
		"such a frame of %d bytes.\n\n", m.calls, benchmarks.FrameBytes)
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

// writeWatching writes the table of what it costs to observe a call, in the order of Watchings.
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
