// Command http compares retryhttp with the plain client of net/http and with the retrying
// clients of others, all on the same server in the same process, and prints Markdown tables:
//
//	go run ./http
//
// It shows how fast they are, what they allocate, how many connections they open and how many
// they lose, when the server fails and when it does not. It takes about 20 seconds.
package main

import (
	"fmt"
	"os"
	"time"
)

// settings are how much is measured.
type settings struct {
	rounds   int           // how often a flaky run is repeated
	requests int           // in a flaky run, each of which fails once
	workers  int           // that send them
	limit    time.Duration // for a flaky run, after which it counts as hung
	batches  int           // of requests that do not fail, for each client
	batch    int           // requests in one
}

func main() {
	s := settings{
		rounds: 5, requests: 200, workers: 8, limit: 2 * time.Second,
		batches: 300, batch: 100,
	}
	m, err := measure(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "http:", err)
		os.Exit(1)
	}
	fmt.Print(render(m))
}

// measurement is what the tables are written from.
type measurement struct {
	settings

	free, limited []flakyRow // without a limit on connections, and with maxConns a host
	calm          []calmRow
}

// maxConns is the MaxConnsPerHost of the second half of the flaky runs.
const maxConns = 2

func measure(s settings) (m measurement, err error) {
	m.settings = s
	if m.free, err = measureFlaky(s, 0); err != nil {
		return m, err
	}
	if m.limited, err = measureFlaky(s, maxConns); err != nil {
		return m, err
	}
	m.calm, err = measureCalm(s)
	return m, err
}
