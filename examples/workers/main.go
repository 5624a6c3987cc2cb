// Workers makes previews of pictures with a pool of package retrypool: four workers, which share four
// units of memory and a storage that takes 50 requests a second.
//
//	go run ./examples/workers
//
// It takes two seconds. Its parts show how items are handed in one by one (Submit) and
// as a sequence (Map); that a caller who waits for a while only (Task.Wait with a timeout) leaves the
// item at work, while Task.Cancel and the deadline of the item's own context end it; and what the
// limits come to, which hold for the pool as a whole: golang.org/x/time/rate by retry.RateLimit and
// the weighted semaphore of golang.org/x/sync by retry.Bulkhead. The last part has a server that takes
// so many requests a period and says when the next one begins: with these hints alone pictures are
// lost, and with retry.Cooldown, a gate that all of them share, none is.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) (err error) {
	s, err := newStudio()
	if err != nil {
		return err
	}
	// What is in the pool is finished, unless ctx has ended.
	defer func() { err = errors.Join(err, s.pool.Close(ctx)) }()

	for _, part := range []func(context.Context, io.Writer) error{
		s.submitted,
		s.awaited,
		s.mapped,
		s.limited,
		s.rationed,
	} {
		if err := part(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
