// Workers makes previews of pictures with a pool of package retrypool. Four workers share four units of
// memory and a storage that takes 50 requests a second.
//
//	go run ./examples/workers
//
// It takes about two seconds and has five parts:
//
//  1. Submit hands in items one by one and returns a task for each;
//  2. Task.Wait with a timeout ends the wait and not the item. Task.Cancel ends the item, and so does
//     the deadline of the item's own context;
//  3. Map takes a sequence of items and yields the results in order;
//  4. limits hold for the whole pool: golang.org/x/time/rate by retry.RateLimit, and the weighted
//     semaphore of golang.org/x/sync by retry.Bulkhead;
//  5. a server takes a number of requests a period and tells refused clients when the next period
//     begins. With these hints alone pictures are lost. With retry.Cooldown, a gate that all items
//     share, none is.
package main

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"log"
	"os"
	"os/signal"

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

func run(ctx context.Context, w io.Writer) (err error) {
	s, err := newPreviewer()
	if err != nil {
		return err
	}
	// Close waits for the items in the pool, unless ctx has ended.
	defer func() { err = errors.Join(err, s.pool.Close(ctx)) }()

	for _, part := range []func(context.Context, io.Writer) error{
		s.showSubmit,
		s.showWait,
		s.showMap,
		s.showLimits,
		s.showCooldown,
	} {
		if err := part(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
