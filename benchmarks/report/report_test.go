package main

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry/benchmarks"
)

func TestMedianAndSpread(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		values         []float64
		median, spread float64
	}{
		"one":              {[]float64{7}, 7, 0},
		"odd, not sorted":  {[]float64{30, 10, 20}, 20, 50},
		"even":             {[]float64{40, 10, 20, 30}, 25, 60},
		"an outlier below": {[]float64{100, 100, 25}, 100, 75},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.InDelta(t, test.median, median(test.values), 1e-9)
			assert.InDelta(t, test.spread, spread(test.values), 1e-9)
		})
	}
	assert.True(t, math.IsNaN(median(nil)))
}

func TestParse(t *testing.T) {
	t.Parallel()
	m := measurement{Timings: make(map[string]timing)}
	line := fmt.Sprintf("BenchmarkCall/first/retry-stop-if-%d \t 123 \t 45.5 ns/op\t 16 B/op\t 1 allocs/op", runtime.GOMAXPROCS(0))
	m.parse([]byte("goos: linux\ncpu: Abacus 3000  \n" + line + "\n" + strings.Replace(line, "45.5", "50", 1) + "\nPASS\n"))
	assert.Equal(t, "Abacus 3000", m.CPU)
	assert.Equal(t, map[string]timing{
		"Call/first/retry-stop-if": {ns: []float64{45.5, 50}, bytes: []float64{16, 16}, allocs: []float64{1, 1}},
	}, m.Timings)
}

// sample is a measurement in which every benchmark took the same time and memory.
func sample(ns, allocs float64) *measurement {
	m := &measurement{
		settings: settings{rounds: 2, benchtime: time.Second, calls: 1000}, Date: "2000-01-01", Go: "go1.0", CPU: "Abacus",
		Cores: 2, Timings: make(map[string]timing), Versions: map[string]string{},
		Background: make(map[string]benchmarks.Waiting), Waiting: make(map[string]benchmarks.Waiting),
		Waits: "| waits |\n", HTTP: "| http |\n", Pool: "| pool |\n", Behaviour: "| behaviour |\n",
	}
	same := timing{ns: []float64{ns, ns}, bytes: []float64{16, 16}, allocs: []float64{allocs, allocs}}
	for _, c := range benchmarks.Cases() {
		for _, l := range benchmarks.Libraries() {
			if c.Build(l, c.Function()) != nil {
				m.Timings["Call/"+c.ID+"/"+l.ID] = same
			}
		}
	}
	for _, d := range benchmarks.Delays() {
		m.Timings["Delay/"+d.ID] = same
	}
	m.Timings["Clock/now"], m.Timings["Clock/since"] = same, same
	for _, w := range benchmarks.Watchings() {
		m.Timings["Watch/first/"+w.ID], m.Timings["Watch/third/"+w.ID] = same, same
	}
	for _, l := range benchmarks.WaitingLibraries() {
		m.Background[l.ID] = benchmarks.Waiting{Stack: 2048, Heap: 600, Sys: 3000}
		m.Waiting[l.ID] = m.Background[l.ID]
	}
	return m
}

func (m *measurement) set(name string, ns, allocs float64) {
	m.Timings[name] = timing{ns: []float64{ns}, bytes: []float64{0}, allocs: []float64{allocs}}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		set    func(m *measurement)
		target string // that is missed then, by the start of its promise
		says   string // in the table or below it
	}{
		"first try": {
			func(m *measurement) { m.set("Call/first/retry", 220, 0) },
			"first try succeeds, prebuilt policy: the bare call", "by 5.0 ns",
		},
		"an allocation": {
			func(m *measurement) { m.set("Call/first-struct/retry", 100, 1) },
			"first try succeeds, prebuilt policy, in every form", "by 1: ",
		},
		"value": {
			func(m *measurement) { m.set("Call/first-struct/retry", 111, 0) },
			"DoValue takes", "by 1.0 ns",
		},
		"options": {
			func(m *measurement) { m.set("Call/options/retry", 100, 2) },
			"options given at the call", "by 1: ",
		},
		"lists": {
			func(m *measurement) { m.set("Call/options/retry-lists", 100, 2) },
			"options that carry a list", "0, 0, 2 with none, one, two",
		},
		"giving up": {
			func(m *measurement) { m.set("Call/five-zero/eapache", 50, 0) },
			"giving up after five attempts without waits: ", "eapache/go-resiliency reads none",
		},
		"stack": {
			func(m *measurement) { m.Background["retry"] = benchmarks.Waiting{Stack: 4096} },
			"a waiting call", "by 2048 bytes",
		},
		"cores": {
			func(m *measurement) { m.set("Call/all-first/retry", 200, 0) },
			"a policy shared", "0.50 times the calls of one core on 2",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := good()
			assert.Empty(t, missed(m))
			test.set(m)
			if got := missed(m); assert.Len(t, got, 1) {
				assert.True(t, strings.HasPrefix(got[0], test.target), got[0])
			}
			assert.Contains(t, render(m), test.says)
		})
	}
}

// good is a measurement in which all targets are met.
func good() *measurement {
	m := sample(100, 0)
	m.set("Call/all-first/retry", 50, 0)
	m.set("Call/five-zero/retry", 60, 2)
	return m
}

func missed(m *measurement) []string {
	var promises []string
	for _, t := range targets(m) {
		if !t.met {
			promises = append(promises, t.promise)
		}
	}
	return promises
}

func TestRender(t *testing.T) {
	t.Parallel()
	m := good()
	m.set("Call/first/retry", 99.6, 0)
	m.set("Call/first/eapache", 8.04, 0)
	text := render(m)
	assert.NotContains(t, text, "NaN")
	assert.NotContains(t, text, "%!")
	assert.Contains(t, text, "are met.\n")
	for _, c := range benchmarks.Cases() {
		assert.Contains(t, text, "## "+c.Title+"\n")
	}
	first := text[strings.Index(text, "## First try succeeds\n"):]
	assert.Less(t, strings.Index(first, "| eapache/go-resiliency | 8.0 | 0% | 0 | 0 |"),
		strings.Index(first, "| **retry** | 100 | 0% | 0 | 0 |"), "the fastest comes first")
	assert.Contains(t, text, "## "+benchmarks.WatchTitle+"\n")
	assert.Contains(t, text, "| no hooks | 100 | 0% | 0 | 100 | 0% | 0 |\n| hooks that do nothing |")
	assert.Contains(t, text, "| behaviour |\n")
	assert.Contains(t, text, "## HTTP\n\n")
	assert.Contains(t, text, "| waits |\n\n## ")
	assert.Contains(t, text, "| http |\n\n## ")
	assert.Contains(t, text, "| pool |\n\n## ")
}
