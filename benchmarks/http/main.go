// Command http compares retryhttp with the plain client of net/http and with other clients that
// retry. It prints Markdown tables:
//
//	go run ./http
//
// They show how fast the clients are, what they allocate, how many connections they open and how
// many they leak, when the server fails and when it does not. All use the same server in the same
// process. It takes about 20 seconds.
package main

import (
	"fmt"
	"os"
	"time"
)

// settings say how much is measured. In a flaky run every request fails once.
type settings struct {
	rounds   int           // how often a flaky run is repeated
	requests int           // requests in a flaky run
	workers  int           // workers that send them
	limit    time.Duration // a flaky run that takes longer counts as hung
	batches  int           // batches of requests that do not fail, for each client
	batch    int           // requests in a batch
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

	free, limited []flakyRow // without a limit on connections, and with maxConns for each host
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
