// Command grpc compares retrygrpc with plain gRPC, with gRPC's own retries (a service config), and with
// the retrying interceptors of others, all on the same server in the same process, and prints Markdown
// tables:
//
//	go run ./grpc
//
// It shows what they cost when nothing fails, and what each does when something does. It takes about
// half a minute.
package main

import (
	"fmt"
	"os"
)

// settings are how much is measured.
type settings struct {
	batches int // of calls that do not fail, for each contender
	batch   int // calls in one
	counted int // calls whose allocations are counted
}

func main() {
	m, err := measure(settings{batches: 100, batch: 200, counted: 2000})
	if err != nil {
		fmt.Fprintln(os.Stderr, "grpc:", err)
		os.Exit(1)
	}
	fmt.Print(render(m))
}

// measurement is what the tables are written from.
type measurement struct {
	settings

	costs      []cost
	behaviours []behaviour
}

func measure(s settings) (m measurement, err error) {
	m.settings = s
	if m.costs, err = measureCosts(s); err != nil {
		return m, err
	}
	m.behaviours, err = measureBehaviours()
	return m, err
}
