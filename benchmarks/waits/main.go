// Command waits measures what a retry costs when its wait is a real one: processor time of the
// whole process, for many calls at once whose waits are some milliseconds long. It prints a table
// in Markdown:
//
//	go run ./waits
//
// Waits that are shorter than it takes to park a goroutine occur nowhere, and say nothing of a
// library that parks its goroutine as every real wait does.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

// settings are what the measurement may be asked for.
type settings struct {
	calls  int
	series int
	wait   time.Duration
	rounds int
}

func main() {
	var s settings
	flag.IntVar(&s.calls, "calls", 400, "how many `calls` are made at once")
	flag.IntVar(&s.series, "series", 10, "how many calls each goroutine makes, one after the other")
	flag.DurationVar(&s.wait, "wait", 3*time.Millisecond, "how long every wait is")
	flag.IntVar(&s.rounds, "rounds", 15, "how often every library is measured")
	flag.Parse()
	m, err := measure(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "waits:", err)
		os.Exit(1)
	}
	fmt.Print(render(m))
}
