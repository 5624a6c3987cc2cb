package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// errorBodies are the sizes of the body of a 503.
var errorBodies = []int{0, 1 << 10, 16 << 10, 1 << 20}

// flakyRow holds a client's medians over the rounds. Every request failed once.
type flakyRow struct {
	contender contender
	errorBody int
	flakyRun
}

// flakyRun is the result of one run.
type flakyRun struct {
	answered float64 // requests that were answered
	rate     float64 // answered requests per second
	allocs   float64 // allocations for each answered request, including the server's
	opened   float64 // connections that were opened
	idle     float64 // connections that were open at the end and could be used again
	leaked   float64 // connections that were open at the end and could not be used again
	seen     float64 // leaked connections, as the server counts them
}

// measureFlaky runs every client with every body once a round. Running one several times in a row
// would let a slow spell of the machine spoil all of its results.
func measureFlaky(s settings, maxConns int) ([]flakyRow, error) {
	clients := append([]contender{byHand, ours}, peers()...)
	rows := make([]flakyRow, 0, len(errorBodies)*len(clients))
	for _, size := range errorBodies {
		for _, c := range clients {
			rows = append(rows, flakyRow{contender: c, errorBody: size})
		}
	}
	runs := make([][]flakyRun, len(rows))
	hung := make([]bool, len(rows))
	for range s.rounds {
		for i, row := range rows {
			if hung[i] {
				continue // it would hang again
			}
			run, err := runFlaky(s, row.contender, row.errorBody, maxConns)
			if err != nil {
				return nil, fmt.Errorf("%s, errors of %d bytes: %w", row.contender.name, row.errorBody, err)
			}
			runs[i] = append(runs[i], run)
			hung[i] = run.answered < float64(s.requests)
		}
	}
	for i := range rows {
		if rows[i].flakyRun = middle(runs[i]); hung[i] {
			rows[i].flakyRun = runs[i][len(runs[i])-1]
		}
	}
	return rows, nil
}

// middle returns the median of each figure.
func middle(runs []flakyRun) flakyRun {
	of := func(figure func(flakyRun) float64) float64 {
		values := make([]float64, len(runs))
		for i, r := range runs {
			values[i] = figure(r)
		}
		return median(values)
	}
	return flakyRun{
		answered: of(func(r flakyRun) float64 { return r.answered }),
		rate:     of(func(r flakyRun) float64 { return r.rate }),
		allocs:   of(func(r flakyRun) float64 { return r.allocs }),
		opened:   of(func(r flakyRun) float64 { return r.opened }),
		idle:     of(func(r flakyRun) float64 { return r.idle }),
		leaked:   of(func(r flakyRun) float64 { return r.leaked }),
		seen:     of(func(r flakyRun) float64 { return r.seen }),
	}
}

// runFlaky sends the requests, reads and closes the responses, and counts the connections that are
// left.
func runFlaky(s settings, c contender, errorBody, maxConns int) (flakyRun, error) {
	server := newFlakyServer(errorBody)
	defer server.close()
	base := newTransport(s.workers, maxConns)
	// This context outlives the requests. If it ended with them, it would close what they leaked.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	load := &load{requests: s.requests, url: server.URL, client: c.client(base)}
	done := make(chan struct{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	go func() {
		defer close(done)
		load.send(ctx, s.workers)
	}()
	select {
	case <-done:
	case <-time.After(s.limit):
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)

	answered := float64(load.answered.Load())
	run := flakyRun{
		answered: answered,
		rate:     answered / took.Seconds(),
		allocs:   float64(after.Mallocs-before.Mallocs) / answered,
		opened:   float64(server.opened()),
	}
	open := base.open.Load()
	base.CloseIdleConnections()
	settle(func() bool { return base.open.Load() == 0 && server.open() == 0 })
	leaked := base.open.Load()
	run.idle, run.leaked, run.seen = float64(open-leaked), float64(leaked), float64(server.open())

	cancel()
	<-done
	return run, load.err // load.send has returned
}

// settle waits a moment for connections that are being closed.
func settle(closed func() bool) {
	for range 50 {
		if closed() {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// load is a number of requests to send.
type load struct {
	requests int
	url      string
	client   *http.Client

	next, answered atomic.Int64
	once           sync.Once
	err            error // the first error that was not caused by the end of ctx
}

// send sends the requests with a number of workers, until ctx ends.
func (l *load) send(ctx context.Context, workers int) {
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for ctx.Err() == nil {
				n := l.next.Add(1)
				if n > int64(l.requests) {
					return
				}
				if err := l.sendOne(ctx, n); err == nil {
					l.answered.Add(1)
				} else if ctx.Err() == nil {
					l.once.Do(func() { l.err = err })
				}
			}
		})
	}
	all.Wait()
}

func (l *load) sendOne(ctx context.Context, n int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set(requestID, strconv.FormatInt(n, 10))
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("request %d: %s", n, resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
