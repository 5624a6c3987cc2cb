// Cloud puts a retry.Policy into the retry hooks of two cloud SDKs. Both servers are on the loopback
// interface.
//
//	go run . # in examples/cloud, which is a module of its own
//
// It takes less than a second and has two parts:
//
//  1. aws-sdk-go-v2: an S3 client against a fake S3. See aws.go;
//  2. gax, the runtime of Google's clients: a gRPC client against a gRPC server. See gax.go.
//
// Both SDKs make the attempts, and retry.Policy.Next decides what follows each. So limits, waits, hints,
// the caller's deadline and the retry budget are the policy's. Both files are made to be copied: a few
// dozen lines each.
package main

import (
	"context"
	_ "embed"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/seed-205ff063/retry/examples/cloud/internal/help"
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
	for _, part := range []func(context.Context, io.Writer) error{storage, rpc} {
		if err := part(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
