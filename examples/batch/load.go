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
	capacity = 32 // chunks in memory at once: enough for some to wait for their next attempt
)

// policy has short waits, for the bank is in the process. What it limits is how long an outage is borne: a
// row is given up by the bank's own answers, see tries, for which some attempts are to be left.
var policy = retry.MustNew(
	retry.WithName("chunk"),
	retry.WithMaxAttempts(20),
	retry.WithAttemptTimeout(10*time.Second),
	retry.WithBackoff(retry.Exponential(2*time.Millisecond, 2)),
	retry.WithMaxDelay(20*time.Millisecond),
)

// result is what became of the rows.
type result struct {
	sent, dead int
	retries    int
	size       int64  // of the file
	memory     uint64 // at most, of what the limit is for
}

// load sends what the source has. progress is told how many bytes of it are done with.
//
// The chunks come out of the pool in the order they went in. So all before the one at hand is
// settled, which makes the place to go on from a single number, and the dead letters a file in
// the same order.
func load(ctx context.Context, s *rowReader, url string, dead *letters, progress func(int64)) (r result, err error) {
	send := &sender{url: url}
	pool, err := retrypool.New(send.send, retrypool.Config[*chunk]{Workers: workers, Capacity: capacity, Policy: policy})
	if err != nil {
		return r, err
	}
	defer func() {
		r.retries = pool.Stats().Retries
		// Nothing is left to do in it that would be waited for: leaving the loop has canceled it.
		err = errors.Join(err, pool.Close(context.WithoutCancel(ctx)))
		send.client.CloseIdleConnections()
	}()
	next := max(s.from, 2)
	for c, err := range pool.Map(ctx, s.chunks) {
		if err != nil {
			return r, fmt.Errorf("go on with -from %d: %w", next, err)
		}
		for _, l := range c.letters() {
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
	if s.err != nil {
		return r, fmt.Errorf("go on with -from %d: %w", next, s.err)
	}
	if s.from > s.line+1 {
		return r, fmt.Errorf("-from %d: the file has only %d lines", s.from, s.line)
	}
	return r, nil
}

// memory is what GOMEMLIMIT is a limit for.
func memory() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
