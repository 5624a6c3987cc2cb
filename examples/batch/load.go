package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/metrics"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

const (
	workers  = 4
	capacity = 32 // chunks in memory at once; some of them wait for their next attempt
)

// policy has short waits, because the bank is in the process. Its attempts limit how long an outage may
// last. They are more than maxSends, because a row that the bank puts off ends by maxSends.
var policy = retry.MustNew(
	retry.WithName("chunk"),
	retry.WithMaxAttempts(20),
	retry.WithAttemptTimeout(10*time.Second),
	retry.WithBackoff(retry.Exponential(2*time.Millisecond, 2)),
	retry.WithMaxDelay(20*time.Millisecond),
)

// result counts what happened to the rows.
type result struct {
	sent, dead int
	retries    int
	size       int64  // of the file
	memory     uint64 // highest use of the memory that GOMEMLIMIT limits
}

// load sends the rows of the reader. It calls progress with the number of bytes that are settled.
//
// The pool yields the chunks in the order of the file, so all rows before a chunk are settled. That is why
// one line number is enough to go on from, and why the dead letters are in the order of the file.
func load(ctx context.Context, rows *rowReader, url string, dead *deadLetters, progress func(int64)) (r result, err error) {
	send := &sender{url: url}
	pool, err := retrypool.New(send.send, retrypool.Config[*chunk]{Workers: workers, Capacity: capacity, Policy: policy})
	if err != nil {
		return r, err
	}
	defer func() {
		r.retries = pool.Stats().Retries
		// Close does not wait long: leaving the loop has canceled the items.
		err = errors.Join(err, pool.Close(context.WithoutCancel(ctx)))
		send.client.CloseIdleConnections()
	}()
	next := max(rows.from, 2)
	for c, err := range pool.Map(ctx, rows.chunks) {
		if err != nil {
			return r, fmt.Errorf("go on with -from %d: %w", next, err)
		}
		for _, l := range c.deadLetters() {
			if err := dead.add(l); err != nil {
				return r, fmt.Errorf("go on with -from %d: %w", next, err)
			}
			r.dead++
		}
		if err := dead.flush(); err != nil {
			return r, fmt.Errorf("go on with -from %d: %w", next, err)
		}
		r.sent += c.sent
		next = c.last + 1
		progress(c.end)
		r.memory = max(r.memory, memory())
	}
	if rows.err != nil {
		return r, fmt.Errorf("go on with -from %d: %w", next, rows.err)
	}
	if rows.from > rows.line+1 {
		return r, fmt.Errorf("-from %d: the file has only %d lines", rows.from, rows.line)
	}
	return r, nil
}

// memory returns how much memory is in use, as GOMEMLIMIT counts it.
func memory() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
