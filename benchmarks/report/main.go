// Command report runs all the benchmarks and writes BENCHMARKS.md. Run it in the module's directory:
//
//	go run ./report
//
// It takes about eight minutes. The machine should do nothing else meanwhile. With -dsn and the address of
// a PostgreSQL database there are tables on River too.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

// settings are the values of the flags.
type settings struct {
	rounds    int
	benchtime time.Duration
	calls     int    // calls that wait at the same time
	dsn       string // of the PostgreSQL database for the table on River; empty for none
	out       string
}

func main() {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 10, "how often every benchmark runs")
	flag.DurationVar(&s.benchtime, "benchtime", 50*time.Millisecond, "how long a benchmark runs each time")
	flag.IntVar(&s.calls, "calls", 100_000, "how many calls wait at the same time")
	flag.StringVar(&s.dsn, "dsn", "", "`address` of a PostgreSQL database; without one there are no tables on River")
	flag.StringVar(&s.out, "o", "../BENCHMARKS.md", "the `file` to write")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	m, err := measureAll(s)
	if err != nil {
		return err
	}
	return os.WriteFile(s.out, []byte(render(m)), 0o644)
}
