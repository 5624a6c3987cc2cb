// Cloud puts a retry.Policy into the retry hooks of two cloud SDKs: aws-sdk-go-v2, with an S3 client
// against a fake S3, and gax, the runtime of Google's clients, with a gRPC client against a real gRPC
// server. Both are on the loopback interface.
//
//	go run . (in examples/cloud, which is a module of its own)
//
// It takes about a second. Both SDKs make the attempts; retry.Policy.Next decides what follows each,
// so limits, waits, hints, the caller's deadline and the retry budget are the policy's.
//
// aws.go and gax.go are made to be copied: a few dozen lines each.
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
	for _, part := range []func(context.Context, io.Writer) error{storage, rpc} {
		if err := part(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
