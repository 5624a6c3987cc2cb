// Command river compares retryriver with River's own retries on one PostgreSQL server. It prints
// Markdown tables:
//
//	go run ./river -dsn postgres://localhost/test
//
// They show the cost of a job when nothing fails and when a tenth of the attempts fail. The cost is
// the time for each job with all workers together, and the processor time of this process, without
// the server. The contenders take turns. River's tables are in a schema that is dropped at the end.
// It takes about a minute.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
)

// settings are the values of the flags.
type settings struct {
	dsn    string
	rounds int
	jobs   int
}

func main() {
	var s settings
	flag.StringVar(&s.dsn, "dsn", "", "`address` of a PostgreSQL database")
	flag.IntVar(&s.rounds, "rounds", 7, "how often each contender is measured")
	flag.IntVar(&s.jobs, "jobs", 5000, "how many `jobs` are measured each time")
	flag.Parse()
	if err := run(context.Background(), s); err != nil {
		fmt.Fprintln(os.Stderr, "river:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	if s.dsn == "" || s.rounds < 1 || s.jobs < 1 {
		return fmt.Errorf("-dsn %q, -rounds %d, -jobs %d: need an address and positive numbers", s.dsn, s.rounds, s.jobs)
	}
	tables, err := measure(ctx, s)
	if err != nil {
		return err
	}
	fmt.Print(render(s, tables))
	return nil
}
