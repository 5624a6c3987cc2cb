// Github lets ten workers read from an API that limits its clients as GitHub does, with the official
// client go-github and a server on the loopback interface.
//
//	go run . (in examples/github, which is a module of its own)
//
// It takes about ten seconds, most of them pauses that the server asks for: its times are seconds.
// A used up primary limit is a 403 with X-RateLimit-Reset, a secondary limit a 403 with Retry-After.
//
// The program reads the same 60 issues twice:
//
//   - with the server's hints alone, each worker has to be refused by itself, and some come again
//     while the pause lasts;
//   - with a Cooldown that the workers share, the first refusal holds back all of them: the only
//     requests that meet the limit are those that were under way already, and nothing is lost.
//
// Two settings matter. WithDisableRateLimitCheck: go-github remembers a used up limit and fails later
// calls by itself, without a request, so that no transport could retry them. And the policy's
// WithMaxRetryAfter: the pauses of the real GitHub last up to an hour.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"os"
	"os/signal"
)

func main() {
	flag.Parse()
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
