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

// showSubmit submits three pictures and collects their previews. One of them has to be retried. While it
// waits for its next attempt, it holds no worker and no memory, and no other picture waits for it.
func (s *previewer) showSubmit(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "== Submit: a task for each")
	pictures := []*picture{
		{name: "cat", units: 1, work: quick},
		{name: "dog", units: 1, work: quick, fails: 2},
		{name: "map", units: 3, work: quick},
	}
	tasks := make([]*retrypool.Task[string], len(pictures))
	for i, p := range pictures {
		var err error
		if tasks[i], err = s.submit(ctx, p); err != nil { // waits if the pool is full
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

// showWait has pictures that take longer than their caller waits.
func (s *previewer) showWait(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== Wait with a timeout, Cancel, and an item with a deadline")
	slow := &picture{name: "panorama", units: 3, work: 150 * time.Millisecond}
	task, err := s.submit(ctx, slow)
	if err != nil {
		return err
	}
	// The timeout ends the wait and not the item.
	_, err = waitFor(ctx, task, 20*time.Millisecond)
	fmt.Fprintln(w, "panorama, in 20 ms:", outcome(err))
	preview, err := waitFor(ctx, task, time.Minute)
	if err != nil { // ctx has ended, and a worker may still have the picture
		return err
	}
	fmt.Fprintf(w, "panorama, later: %s at attempt %d\n", preview, slow.attempt)

	task, err = s.submit(ctx, &picture{name: "poster", units: 3, work: time.Hour})
	if err != nil {
		return err
	}
	inTime := task.Cancel()
	_, err = task.Wait(ctx)
	fmt.Fprintf(w, "poster, canceled: %t, %s\n", inTime, outcome(err))

	// The item ends with the context that it was submitted with.
	showLimits, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	task, err = s.submit(showLimits, &picture{name: "mural", units: 3, work: time.Hour})
	if err != nil {
		return err
	}
	_, err = task.Wait(ctx)
	fmt.Fprintln(w, "mural, with a deadline:", outcome(err))
	return ctx.Err()
}

// waitFor waits for the task, for up to d.
func waitFor(ctx context.Context, task *retrypool.Task[string], d time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return task.Wait(ctx)
}

// outcome says how an item failed, or that the wait ended before the item.
func outcome(err error) string {
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

// showMap takes an album through the pool. Later pictures take less time, and one is not a picture. The
// results still come in the order of the pictures. The pool is never more than its capacity ahead of the
// loop.
func (s *previewer) showMap(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== Map: a sequence, in order")
	const pictures = 8
	quotaServer := func(yield func(*picture) bool) {
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
	for preview, err := range s.pool.Map(ctx, quotaServer) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if n++; err != nil {
			preview = outcome(err)
		}
		fmt.Fprintf(w, "%d: %s\n", n, preview)
	}
	return nil
}

// showLimits submits more pictures than the limits allow at once, and prints what was measured.
func (s *previewer) showLimits(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== Limits that the pool shares")
	for n := range 24 {
		p := &picture{name: "page", units: 1, work: quick}
		if n%4 == 0 {
			p.units = memory // all
		}
		if n%6 == 0 {
			p.fails = 1
		}
		if _, err := s.submit(ctx, p); err != nil {
			return err
		}
	}
	// When ctx ends, the items end too. Then Join may return nil, but that is not a success.
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
