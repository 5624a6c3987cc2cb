package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

const (
	uploadCount = 120
	quota       = 20 // requests that the server accepts in a period
	period      = 100 * time.Millisecond
)

var errTooMany = errors.New("429 too many requests")

// quotaServer accepts a number of requests in a period. It refuses the others and says when the next period
// begins.
type quotaServer struct {
	mu      sync.Mutex
	ends    time.Time // of the period
	left    int       // requests that it still accepts in the period
	refused int
}

// upload makes one request.
func (a *quotaServer) upload(ctx context.Context, n int) (int, error) {
	select {
	case <-time.After(time.Millisecond): // on its way
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); !now.Before(a.ends) {
		a.ends, a.left = now.Add(period), quota
	}
	if a.left == 0 {
		a.refused++
		return 0, retry.After(time.Until(a.ends), errTooMany)
	}
	a.left--
	return n, nil
}

// showCooldown uploads all the pictures, with three attempts each. With the hints alone each picture has to
// be refused by itself, and those that wait come back together. So most are refused again, and lost after
// the third time. With a gate that all share, one refusal holds back all of them.
func (s *previewer) showCooldown(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== A server that takes 20 requests at a time")
	alone := retry.MustNew(retry.WithMaxAttempts(3))
	shared := retry.MustNew(alone, retry.WithGate(retry.Cooldown(time.Minute)))
	for _, by := range []struct {
		name   string
		policy *retry.Policy
	}{{"hints alone", alone}, {"a gate that all share", shared}} {
		lost, refused, err := uploadAll(ctx, by.policy)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: %d of %d pictures lost, %d requests refused\n", by.name, lost, uploadCount, refused)
	}
	return nil
}

func uploadAll(ctx context.Context, policy *retry.Policy) (lost, refused int, err error) {
	var a quotaServer
	pool, err := retrypool.New(a.upload, retrypool.Config[int]{Workers: workers, Capacity: uploadCount, Policy: policy})
	if err != nil {
		return 0, 0, err
	}
	for n := range uploadCount {
		if _, err = pool.Submit(ctx, n); err != nil {
			break
		}
	}
	if err = errors.Join(err, pool.Close(ctx), ctx.Err()); err != nil {
		return 0, 0, err
	}
	return pool.Stats().Failed, a.refused, nil
}
