package main

import (
	"bufio"
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/seed-205ff063/retry/benchmarks"
)

// measurement is everything that the report is written from.
type measurement struct {
	settings
	Date                string
	Go, CPU, System     string
	Cores               int
	Load                string            // of the machine before, empty if unknown
	Versions            map[string]string // of the modules
	Timings             map[string]timing // by the benchmark's name
	Background, Waiting map[string]benchmarks.Waiting
	Framed              map[string]benchmarks.Waiting // as Background, with a frame to spare
	Waits, HTTP, Pool   string                        // tables that other programs wrote
	Behaviour           string
}

// timing is the results of one benchmark, one of each round.
type timing struct{ ns, bytes, allocs []float64 }

// measureAll builds the programs and runs them one after the other.
func measureAll(s settings) (*measurement, error) {
	dir, err := os.MkdirTemp("", "retry-benchmarks")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	m := &measurement{
		settings: s,
		Date:     time.Now().Format(time.DateOnly),
		System:   runtime.GOOS + "/" + runtime.GOARCH,
		Cores:    runtime.NumCPU(),
		Load:     load(),
		Timings:  make(map[string]timing),
	}
	bench := filepath.Join(dir, "bench")
	waiting := filepath.Join(dir, "waiting")
	behaviour := filepath.Join(dir, "behaviour")
	waits := filepath.Join(dir, "waits")
	http := filepath.Join(dir, "http")
	pool := filepath.Join(dir, "pool")
	for _, args := range [][]string{
		{"test", "-c", "-o", bench, "."},
		{"build", "-o", waiting, "./waiting"},
		{"build", "-o", behaviour, "./behaviour"},
		{"build", "-o", waits, "./waits"},
		{"build", "-o", http, "./http"},
		{"build", "-o", pool, "./pool"},
	} {
		if _, err := output("go", args...); err != nil {
			return nil, err
		}
	}
	if err := m.readVersions(waiting); err != nil {
		return nil, err
	}
	if err := m.benchmark(bench); err != nil {
		return nil, err
	}
	if m.Background, err = measureWaiting(waiting, "background", s.calls, 0); err != nil {
		return nil, err
	}
	if m.Framed, err = measureWaiting(waiting, "background", s.calls, 1); err != nil {
		return nil, err
	}
	if m.Waiting, err = measureWaiting(waiting, "cancel", s.calls, 0); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "waits")
	text, err := output(waits)
	if err != nil {
		return nil, err
	}
	m.Waits = string(text)
	fmt.Fprintln(os.Stderr, "HTTP")
	if text, err = output(http); err != nil {
		return nil, err
	}
	m.HTTP = string(text)
	fmt.Fprintln(os.Stderr, "pool")
	if text, err = output(pool); err != nil {
		return nil, err
	}
	m.Pool = string(text)
	text, err = output(behaviour)
	m.Behaviour = string(text)
	return m, err
}

// readVersions takes the versions from what the linker wrote into a program; into a test it
// writes none.
func (m *measurement) readVersions(binary string) error {
	info, err := buildinfo.ReadFile(binary)
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

// benchmark runs all benchmarks once a round, rather than each several times in a row, so
// that a slow spell of the machine does not hit all the runs of one.
func (m *measurement) benchmark(binary string) error {
	for round := 1; round <= m.rounds; round++ {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round, m.rounds)
		text, err := output(binary, "-test.run=^$", "-test.bench=.", "-test.benchmem",
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
			m.CPU = strings.TrimSpace(cpu) // virtual ones fill it up with blanks
		}
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(line, "Benchmark") {
			continue
		}
		name := strings.TrimSuffix(strings.TrimPrefix(fields[0], "Benchmark"), "-"+strconv.Itoa(runtime.GOMAXPROCS(0)))
		t := m.Timings[name]
		for i := 3; i < len(fields); i += 2 {
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
		m.Timings[name] = t
	}
}

// measureWaiting runs a process for each library.
func measureWaiting(binary, kind string, calls, frames int) (map[string]benchmarks.Waiting, error) {
	fmt.Fprintf(os.Stderr, "%d waiting calls, context: %s, frames above: %d\n", calls, kind, frames)
	all := make(map[string]benchmarks.Waiting)
	for _, l := range benchmarks.WaitingLibraries() {
		text, err := output(binary, "-library", l.ID, "-context", kind, "-calls", strconv.Itoa(calls), "-frames", strconv.Itoa(frames))
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

// output runs a program. A workspace is left out of account: it could raise the versions
// that this module's go.mod names.
func output(program string, args ...string) ([]byte, error) {
	command := exec.Command(program, args...)
	command.Env = append(os.Environ(), "GOWORK=off")
	var complaint bytes.Buffer
	command.Stderr = &complaint
	text, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, complaint.Bytes())
	}
	return text, nil
}

// load returns how busy the machine was in the minute before, where the system tells.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
