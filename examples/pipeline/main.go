// Pipeline is the classic producer with its consumers: a queue of 3, 3 consumers, 20 items, and work
// that fails now and then.
//
//	go run ./examples/pipeline
//
// It takes about a second. It prints a line for each event, in the order in which they happen, and the
// totals at the end:
//
//  1. PROD 7 SZ 3: item 7 was produced, and 3 items are in the queue. There are up to 6 before the
//     consumers have taken their first;
//  2. C3 RETRY 5 1 0.034: consumer 3 failed at attempt 1 of item 5. The next attempt follows in 0.034 s.
//     Meanwhile the consumer takes another item;
//  3. C3 FAIL 15 1.147: item 15 failed for good, 1.147 s after it was produced;
//  4. C1 DONE 4 0.071: item 4 succeeded, 0.071 s after it was produced.
//
// On a terminal a progress bar is below the lines.
package main

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/examples/internal/help"
	"github.com/seed-205ff063/retry/examples/internal/progress"
	"github.com/seed-205ff063/retry/retrypool"
)

const (
	consumers = 3
	queue     = 3
	capacity  = queue + consumers // items that are queued, processed or waiting for a retry
	failures  = 0.3               // share of the attempts
)

// policy waits 30 ms, then twice as long each time, and adds up to a quarter at random.
var policy = retry.MustNew(
	retry.WithName("pipeline"),
	retry.WithMaxAttempts(4),
	retry.WithBackoff(retry.Exponential(30*time.Millisecond, 2)),
	retry.WithJitter(retry.AddJitter(0.25)))

var errTransient = errors.New("transient failure")

//go:embed main.go
var source string

func main() {
	help.Parse(source)
	const items = 20
	bar := progress.New(items)
	_, err := run(context.Background(), bar.Writer(os.Stdout), items, rand.Uint64(), func() { bar.Add(1) })
	bar.Close()
	if err != nil {
		log.Fatal(err)
	}
}

// item is one piece of work. It has its own random numbers, so the run does not depend on which consumer
// takes it when.
type item struct {
	number int
	random *rand.Rand
}

// run produces the items and consumes them. It calls progress at the end of each item.
func run(ctx context.Context, w io.Writer, items int, seed uint64, progress func()) (totals, error) {
	out := &printer{w: w, progress: progress, began: time.Now()}
	pool, err := retrypool.New(consume, retrypool.Config[item]{
		Workers:  consumers,
		Capacity: capacity,
		Policy:   policy,
		Events: retrypool.Events[item]{
			Queued:    out.queued,
			Parked:    out.parked,
			Succeeded: out.succeeded,
			Failed:    out.failed,
			Canceled:  out.canceled,
		},
	})
	if err != nil {
		return totals{}, err
	}
	err = produce(ctx, pool, items, seed)
	// Close waits for the items in the pool, unless ctx has ended.
	err = errors.Join(err, pool.Close(ctx))
	return out.end(), err
}

// produce submits the items. Submit waits while the pool is full.
func produce(ctx context.Context, pool *retrypool.Pool[item, struct{}], items int, seed uint64) error {
	for n := 1; n <= items; n++ {
		if _, err := pool.Submit(ctx, item{n, rand.New(rand.NewPCG(seed, uint64(n)))}); err != nil {
			return err
		}
	}
	return nil
}

// consume works for 50 to 120 ms, and fails three times in ten.
func consume(ctx context.Context, it item) (struct{}, error) {
	work := 50*time.Millisecond + time.Duration(it.random.Int64N(int64(70*time.Millisecond)))
	select {
	case <-time.After(work):
	case <-ctx.Done():
		return struct{}{}, ctx.Err()
	}
	if it.random.Float64() < failures {
		return struct{}{}, errTransient
	}
	return struct{}{}, nil
}
