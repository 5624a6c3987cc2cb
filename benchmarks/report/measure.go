package main

import (
	"bufio"
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/seed-205ff063/retry/benchmarks"
)

// measurement is everything that the report is written from.
type measurement struct {
	settings
	Date            string
	Go, CPU, System string
	Cores           int
	Load            string            // of the machine before the run; empty if unknown
	Versions        map[string]string // by module path
	Timings         map[string]timing // by the benchmark's name

	// The memory of waiting calls, by the library's ID.
	Background map[string]benchmarks.Waiting // under a context that cannot be cancelled
	Framed     map[string]benchmarks.Waiting // the same, called one stack frame deeper
	Waiting    map[string]benchmarks.Waiting // under a context that can be cancelled

	// The Markdown that other programs print.
	Waits, HTTP, GRPC, Pool, NATS, River, Behaviour string
}

// timing holds the results of one benchmark, one value a round.
type timing struct{ ns, bytes, allocs []float64 }

// measureAll builds the programs and runs them one after the other.
func measureAll(s settings) (*measurement, error) {
	m := &measurement{
		settings: s,
		Date:     time.Now().Format(time.DateOnly),
		System:   runtime.GOOS + "/" + runtime.GOARCH,
		Cores:    runtime.NumCPU(),
		Load:     load(), // before the builds add to it
		Timings:  make(map[string]timing),
	}
	dir, err := os.MkdirTemp("", "retry-benchmarks")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p := programs{dir}
	for _, step := range []func(programs) error{build, m.readVersions, m.benchmark, m.measureMemory, m.runOthers} {
		if err := step(p); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// readVersions reads the module versions that the linker wrote into a program. It writes none into
// a test binary.
func (m *measurement) readVersions(p programs) error {
	info, err := buildinfo.ReadFile(p.path("waiting"))
	if err != nil {
		return err
	}
	m.Go = info.GoVersion
	m.Versions = make(map[string]string)
	for _, dep := range info.Deps {
		m.Versions[dep.Path] = dep.Version
	}
	return nil
}

// benchmark runs all benchmarks once a round. Running one benchmark several times in a row would let
// a slow spell of the machine spoil all of its results.
func (m *measurement) benchmark(p programs) error {
	for round := 1; round <= m.rounds; round++ {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round, m.rounds)
		text, err := output(p.path("bench"), "-test.run=^$", "-test.bench=.", "-test.benchmem",
			"-test.benchtime="+m.benchtime.String())
		if err != nil {
			return err
		}
		m.parse(text)
	}
	return nil
}

// parse adds the results in the output of a test binary.
func (m *measurement) parse(text []byte) {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		if cpu, ok := strings.CutPrefix(line, "cpu: "); ok {
			m.CPU = strings.TrimSpace(cpu) // virtual machines pad the name with blanks
		}
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(line, "Benchmark") {
			continue
		}
		name := strings.TrimSuffix(strings.TrimPrefix(fields[0], "Benchmark"), "-"+strconv.Itoa(runtime.GOMAXPROCS(0)))
		t := m.Timings[name]
		t.add(fields[2:])
		m.Timings[name] = t
	}
}

// add adds a round's results, which are pairs of a value and its unit.
func (t *timing) add(fields []string) {
	for i := 1; i < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i-1], 64)
		if err != nil {
			continue
		}
		switch fields[i] {
		case "ns/op":
			t.ns = append(t.ns, value)
		case "B/op":
			t.bytes = append(t.bytes, value)
		case "allocs/op":
			t.allocs = append(t.allocs, value)
		}
	}
}

// measureMemory measures what waiting calls take.
func (m *measurement) measureMemory(p programs) (err error) {
	if m.Background, err = measureWaiting(p, "background", m.calls, 0); err != nil {
		return err
	}
	if m.Framed, err = measureWaiting(p, "background", m.calls, 1); err != nil {
		return err
	}
	m.Waiting, err = measureWaiting(p, "cancel", m.calls, 0)
	return err
}

// measureWaiting runs a process for each library.
func measureWaiting(p programs, kind string, calls, frames int) (map[string]benchmarks.Waiting, error) {
	fmt.Fprintf(os.Stderr, "%d waiting calls, context: %s, frames above: %d\n", calls, kind, frames)
	all := make(map[string]benchmarks.Waiting)
	for _, l := range benchmarks.WaitingLibraries() {
		text, err := output(p.path("waiting"), "-library", l.ID, "-context", kind, "-calls", strconv.Itoa(calls), "-frames", strconv.Itoa(frames))
		if err != nil {
			return nil, err
		}
		var w benchmarks.Waiting
		if err := json.Unmarshal(text, &w); err != nil {
			return nil, fmt.Errorf("%s: %w", l.ID, err)
		}
		all[l.ID] = w
	}
	return all, nil
}

// runOthers runs the programs that print a part of the report.
func (m *measurement) runOthers(p programs) error {
	for _, other := range []struct {
		program string
		text    *string
		args    []string
	}{
		{"waits", &m.Waits, nil},
		{"http", &m.HTTP, nil},
		{"grpc", &m.GRPC, nil},
		{"pool", &m.Pool, nil},
		{"nats", &m.NATS, nil},
		{"river", &m.River, []string{"-dsn", m.dsn}},
		{"behaviour", &m.Behaviour, nil},
	} {
		if other.program == "river" && m.dsn == "" {
			continue
		}
		fmt.Fprintln(os.Stderr, other.program)
		text, err := output(p.path(other.program), other.args...)
		if err != nil {
			return err
		}
		*other.text = string(text)
	}
	return nil
}

// load returns the average load of the machine in the last minute, or "" where the system does not tell.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
