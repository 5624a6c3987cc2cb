// Llm calls language models with two official clients, openai-go and anthropic-sdk-go, against a server
// on the loopback interface that misbehaves.
//
//	go run . # in examples/llm, which is a module of its own
//
// It takes less than a second and has four parts:
//
//  1. the clients' own retries multiply with those of their HTTP client, so turn one of them off;
//  2. a server's Retry-After-Ms, status 529 and X-Should-Retry are obeyed;
//  3. a streamed answer that breaks off is requested again until its first token was passed on, never
//     after it. An answer that just stops, without an error, counts as broken off;
//  4. a validator's reason goes into the next prompt, and the best rejected answer is the fallback.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/seed-205ff063/retry/examples/llm/internal/help"
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
	for _, part := range []func(context.Context, io.Writer) error{layers, hints, streams, feedback} {
		if err := part(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// requests returns "1 request" or "n requests".
func requests(n int) string {
	if n == 1 {
		return "1 request"
	}
	return fmt.Sprint(n, " requests")
}
