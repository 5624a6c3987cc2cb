// Llm calls two language models' official clients, openai-go and anthropic-sdk-go, as they are,
// against a server on the loopback interface that misbehaves.
//
//	go run . (in examples/llm, which is a module of its own)
//
// It takes about a second and shows four things:
//
//   - the clients' own retries multiply with those of their HTTP client: turn one of them off;
//   - a server's Retry-After-Ms, 529 and X-Should-Retry are obeyed;
//   - a streamed answer that breaks off is asked for again until its first token was passed on, and
//     never after it; an answer that just stops, without an error, counts as broken off;
//   - a validator's reason goes into the next prompt, and the best rejected answer is the fallback.
package main

import (
	"context"
	"flag"
	"fmt"
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
