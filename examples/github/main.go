// Github reads from an API that limits its clients as GitHub does. Ten workers share the official client
// go-github; the server is on the loopback interface.
//
//	go run . # in examples/github, which is a module of its own
//
// It takes about ten seconds, most of them pauses that the server asks for. It reads the same 60 issues
// twice:
//
//  1. with the server's hints alone. Each worker has to be refused by itself, and some may come again
//     during the pause;
//  2. with a Cooldown that the workers share. The first refusal holds all of them back. Only requests
//     that were already on their way meet the limit, and nothing is lost.
//
// A used up primary limit is a 403 with X-RateLimit-Reset, a secondary limit a 403 with Retry-After.
// Two settings matter:
//
//   - WithDisableRateLimitCheck: go-github remembers a used up limit and fails later calls by itself,
//     without a request, so a transport could not retry them;
//   - the policy's WithMaxRetryAfter: the pauses of the real GitHub last up to an hour.
package main

import (
	"context"
	_ "embed"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/seed-205ff063/retry/examples/github/internal/help"
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

func run(ctx context.Context, w io.Writer) error {
	for _, cooldown := range []bool{false, true} {
		r, err := crawl(ctx, cooldown)
		if err != nil {
			return err
		}
		r.print(w, cooldown)
	}
	return nil
}
