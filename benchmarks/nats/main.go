// Command nats compares retrynats with what NATS JetStream's client offers by itself. It prints
// Markdown tables:
//
//	go run ./nats
//
// They show the cost of a message when nothing fails, with and without work to do, and when some
// attempts fail. The cost is the time for each message with all workers together, and the processor
// time of client and server. All contenders use the same server in the same process, and take turns.
// It takes about a minute.
package main

import (
	"fmt"
	"os"
	"time"
)

// settings say how much is measured.
type settings struct {
	rounds   int
	messages int
	workers  int
	work     time.Duration // for each message, in the second table
	failing  int           // one in this many attempts fails, in the third table
}

func main() {
	s := settings{rounds: 7, messages: 4000, workers: 8, work: time.Millisecond, failing: 10}
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "nats:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	b, err := newBroker()
	if err != nil {
		return err
	}
	defer b.close()
	tables, err := measure(b, s)
	if err != nil {
		return err
	}
	fmt.Print(render(s, tables))
	return nil
}
