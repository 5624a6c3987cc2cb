// Command waits measures the processor time of a retry that really waits. Many calls run at the same
// time, and each wait lasts some milliseconds. It prints a Markdown table:
//
//	go run ./waits
//
// Shorter waits would mislead. A wait of some nanoseconds is over before a goroutine is parked, so it
// would only measure whether a library parks its goroutine. Every wait of a real program does.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

// settings are the values of the flags.
type settings struct {
	calls  int
	series int
	wait   time.Duration
	rounds int
}

func main() {
	var s settings
	flag.IntVar(&s.calls, "calls", 400, "how many `goroutines` make calls at the same time")
	flag.IntVar(&s.series, "series", 40, "how many calls each goroutine makes, one after the other")
	flag.DurationVar(&s.wait, "wait", 3*time.Millisecond, "how long each wait is")
	flag.IntVar(&s.rounds, "rounds", 9, "how often every library is measured")
	flag.Parse()
	m, err := measure(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "waits:", err)
		os.Exit(1)
	}
	fmt.Print(render(m))
}
