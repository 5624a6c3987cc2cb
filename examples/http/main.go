// Http sends requests with package retryhttp to a server on the loopback interface that misbehaves in
// each of the documented ways.
//
//	go run ./examples/http
//
// It takes about three seconds. For one of them it waits because a server asks for it by Retry-After.
// It prints five tables:
//
//  1. statuses: which are retried, for which methods, with which keys and budgets;
//  2. Retry-After: waits that are allowed, and waits that are too long;
//  3. bodies: streams, large error bodies, responses that break off;
//  4. no answer: connections that are refused, closed or reset, and timeouts;
//  5. errors that no retry can help, such as a wrong certificate.
//
// A line of a table says what was sent, what it met, how many attempts and connections the client
// made, how long that took, and what the caller got: a status, which net/http does not treat as an
// error, or an error. Worth a look:
//
//   - a POST is sent again only if the server cannot have processed it (refused, 429, no TLS) or can
//     recognize it by its Idempotency-Key;
//   - a stream is not sent again once it was read, unless it was kept in memory;
//   - a short error body is read, so the connection can be used again. A huge or slow one is not: the
//     next attempt opens another connection, which takes less time;
//   - a Retry-After that is longer than allowed ends the call without a wait.
//
// HTTP/2's REFUSED_STREAM is missing: net/http repeats such requests itself, within an attempt.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seed-205ff063/retry/examples/internal/help"
)

//go:embed main.go
var source string

func main() {
	help.Parse(source)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// part is a table with a title.
type part struct {
	title     string
	scenarios []scenario
}

func parts() []part {
	return []part{
		{"Statuses", statuses()},
		{"Retry-After", hints()},
		{"Bodies of requests and responses", bodies()},
		{"No answer", failures()},
		{"Errors that no retry can help", permanentErrors()},
	}
}

func run(ctx context.Context, w io.Writer) error {
	for i, p := range parts() {
		results, err := p.run(ctx)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, "==", p.title)
		if err := printTable(w, results); err != nil {
			return err
		}
	}
	return nil
}

func (p part) run(ctx context.Context) ([]result, error) {
	var results []result
	for _, s := range p.scenarios {
		r, err := s.run(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.request, err)
		}
		results = append(results, r)
	}
	return results, nil
}

func printTable(w io.Writer, results []result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "request\tmet\tattempts\tconnections\ttime\toutcome")
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%v\t%s\n", r.request, joinCounted(r.met), r.attempts,
			r.connections, r.took.Round(10*time.Millisecond), r.outcome)
	}
	return t.Flush()
}

// joinCounted lists the names. A name that is repeated in a row is listed once, with its count.
func joinCounted(names []string) string {
	var list []string
	for i := 0; i < len(names); {
		n := 1
		for i+n < len(names) && names[i+n] == names[i] {
			n++
		}
		if n == 1 {
			list = append(list, names[i])
		} else {
			list = append(list, fmt.Sprintf("%d × %s", n, names[i]))
		}
		i += n
	}
	if list == nil {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
