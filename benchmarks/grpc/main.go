// Command grpc compares retrygrpc with plain gRPC, with gRPC's own retries (a service config), and with
// the retrying interceptors of others. It prints Markdown tables:
//
//	go run ./grpc
//
// They show what each costs when nothing fails, and what it does when something fails. All use the same
// server in the same process. It takes about half a minute.
package main

import (
	"fmt"
	"os"
)

// settings say how much is measured.
type settings struct {
	batches int // batches of calls that do not fail, for each contender
	batch   int // calls in a batch
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
