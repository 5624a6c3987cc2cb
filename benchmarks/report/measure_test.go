package main

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry/benchmarks"
)

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

// sample returns a measurement in which every benchmark took the same time and memory.
func sample(ns, allocs float64) *measurement {
	m := &measurement{
		settings: settings{rounds: 2, benchtime: time.Second, calls: 1000}, Date: "2000-01-01", Go: "go1.0", CPU: "Abacus",
		Cores: 2, Timings: make(map[string]timing), Versions: map[string]string{},
		Background: make(map[string]benchmarks.Waiting), Waiting: make(map[string]benchmarks.Waiting),
		Waits: "| waits |\n", HTTP: "| http |\n", GRPC: "| grpc |\n", NATS: "| nats |\n", River: "| river |\n", Pool: "| pool |\n", Behaviour: "| behaviour |\n",
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

// good returns a measurement in which all targets are met.
func good() *measurement {
	m := sample(100, 0)
	m.set("Call/all-first/retry", 50, 0)
	m.set("Call/five-zero/retry", 60, 2)
	return m
}
