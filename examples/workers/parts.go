package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

const quick = 10 * time.Millisecond

// submitted hands in three pictures and collects their previews. The storage is busy for one of them;
// while it waits for its next attempt it holds no worker, no memory and no other picture up.
func (s *studio) submitted(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "== Submit: a task for each")
	pictures := []*picture{
		{name: "cat", units: 1, work: quick},
		{name: "dog", units: 1, work: quick, fails: 2},
		{name: "map", units: 3, work: quick},
	}
	tasks := make([]*retrypool.Task[string], len(pictures))
	for i, p := range pictures {
		var err error
		if tasks[i], err = s.submit(ctx, p); err != nil { // after a wait, if the pool is full
			return err
		}
	}
	for i, task := range tasks {
		preview, err := task.Wait(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: %s at attempt %d\n", pictures[i].name, preview, pictures[i].attempt)
	}
	return nil
}

// awaited has pictures that take longer than somebody would wait.
func (s *studio) awaited(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== Wait with a timeout, Cancel, and an item with a deadline")
	slow := &picture{name: "panorama", units: 3, work: 150 * time.Millisecond}
	task, err := s.submit(ctx, slow)
	if err != nil {
		return err
	}
	// The caller's patience is not the item's: this ends the wait alone.
	_, err = waitFor(ctx, task, 20*time.Millisecond)
	fmt.Fprintln(w, "panorama, in 20 ms:", why(err))
	preview, err := waitFor(ctx, task, time.Minute)
	if err != nil { // ctx has ended, and perhaps a worker still has the picture
		return err
	}
	fmt.Fprintf(w, "panorama, later: %s at attempt %d\n", preview, slow.attempt)

	task, err = s.submit(ctx, &picture{name: "poster", units: 3, work: time.Hour})
	if err != nil {
		return err
	}
	inTime := task.Cancel()
	_, err = task.Wait(ctx)
	fmt.Fprintf(w, "poster, canceled: %t, %s\n", inTime, why(err))

	// The context that an item is handed in with is the item's: its end is the item's.
	limited, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	task, err = s.submit(limited, &picture{name: "mural", units: 3, work: time.Hour})
	if err != nil {
		return err
	}
	_, err = task.Wait(ctx)
	fmt.Fprintln(w, "mural, with a deadline:", why(err))
	return ctx.Err()
}

func waitFor(ctx context.Context, task *retrypool.Task[string], d time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return task.Wait(ctx)
}

// why tells an item that failed from a wait that was over before the item.
func why(err error) string {
	var failed *retry.Error
	switch {
	case err == nil:
		return "ok"
	case !errors.As(err, &failed):
		return "not yet"
	case errors.Is(err, context.DeadlineExceeded):
		return "too late"
	case failed.Reason == retry.ErrContext:
		return "stopped"
	}
	return fmt.Sprintf("%v after %d of 3 attempts", failed.Err, failed.Attempts)
}

// mapped takes an album through the pool. The later pictures are the sooner done, and one is none;
// what comes out is in the order of what went in all the same, and never more than the pool's capacity
// ahead of the loop.
func (s *studio) mapped(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== Map: a sequence, in order")
	const pictures = 8
	album := func(yield func(*picture) bool) {
		for n := 1; n <= pictures; n++ {
			p := &picture{
				name: fmt.Sprintf("photo%d", n), units: 1, work: quick * (pictures - time.Duration(n)),
				broken: n == 3,
			}
			if n == 5 {
				p.fails = 3
			}
			if !yield(p) {
				return
			}
		}
	}
	n := 0
	for preview, err := range s.pool.Map(ctx, album) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if n++; err != nil {
			preview = why(err)
		}
		fmt.Fprintf(w, "%d: %s\n", n, preview)
	}
	return nil
}

// limited hands in more than the limits allow at once, and says how it all went.
func (s *studio) limited(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== Limits that the pool shares")
	for n := range 24 {
		p := &picture{name: "page", units: 1, work: quick}
		if n%4 == 0 {
			p.units = memory // all there is
		}
		if n%6 == 0 {
			p.fails = 1
		}
		if _, err := s.submit(ctx, p); err != nil {
			return err
		}
	}
	// When ctx ends so do the items, and Join may find them all settled: it is no success then.
	if err := errors.Join(s.pool.Join(ctx), ctx.Err()); err != nil {
		return err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.pool.Stats()
	fmt.Fprintf(w, "%d pictures: %d done, %d failed, %d canceled\n",
		stats.Submitted, stats.Succeeded, stats.Failed, stats.Canceled)
	fmt.Fprintf(w, "at most %d of %d units of memory in use\n", s.peak, memory)
	fmt.Fprintf(w, "%d attempts, retries included, never more than %d and %d a second\n", len(s.starts), burst, limit)
	return nil
}
