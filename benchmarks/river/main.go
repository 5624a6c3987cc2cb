// Command river compares retryriver with River's own retries, on one PostgreSQL, and prints
// Markdown tables:
//
//	go run ./river -dsn postgres://localhost/test
//
// It shows what a job costs when nothing fails and when a tenth of the attempts fail: the time with
// all workers together, and the processor time of this process, the server's part left out. The
// contenders take turns. The tables are in a schema that is dropped at the end. It takes about a
// minute.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
)

// settings are how much is measured.
type settings struct {
	dsn    string
	rounds int
	jobs   int
}

func main() {
	var s settings
	flag.StringVar(&s.dsn, "dsn", "", "PostgreSQL `address`")
	flag.IntVar(&s.rounds, "rounds", 7, "`times` that each contender is measured")
	flag.IntVar(&s.jobs, "jobs", 5000, "`jobs` in each")
	flag.Parse()
	if err := run(context.Background(), s); err != nil {
		fmt.Fprintln(os.Stderr, "river:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	if s.dsn == "" || s.rounds < 1 || s.jobs < 1 {
		return fmt.Errorf("-dsn %q, -rounds %d, -jobs %d: an address and positive numbers are needed", s.dsn, s.rounds, s.jobs)
	}
	tables, err := measure(ctx, s)
	if err != nil {
		return err
	}
	fmt.Print(render(s, tables))
	return nil
}
