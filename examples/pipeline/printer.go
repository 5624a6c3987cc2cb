package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/seed-205ff063/retry/retrypool"
)

type event = retrypool.Event[item]

// totals are printed at the end.
type totals struct {
	produced, done, failed, canceled int
	attempts                         int
	ahead                            int // most items that the producer was ahead
}

// printer prints a line for each event, and counts.
type printer struct {
	progress func()
	began    time.Time

	mu sync.Mutex
	w  io.Writer
	totals
}

func (p *printer) queued(e event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.produced++
	p.ahead = max(p.ahead, p.produced-p.done-p.totals.failed-p.totals.canceled)
	fmt.Fprintf(p.w, "PROD %d SZ %d\n", e.Item.number, e.Queued)
}

func (p *printer) parked(e event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "C%d RETRY %d %d %.3f\n", e.Worker, e.Item.number, e.Attempt, e.Wait.Seconds())
}

func (p *printer) succeeded(e event) { p.ended("DONE", e, &p.done) }
func (p *printer) failed(e event)    { p.ended("FAIL", e, &p.totals.failed) }
func (p *printer) canceled(e event)  { p.ended("STOP", e, &p.totals.canceled) }

func (p *printer) ended(how string, e event, count *int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*count++
	p.attempts += e.Attempt
	fmt.Fprintf(p.w, "C%d %s %d %.3f\n", e.Worker, how, e.Item.number, e.Elapsed.Seconds())
	p.progress()
}

// end prints and returns the totals.
func (p *printer) end() totals {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "%d items: %d done, %d failed", p.produced, p.done, p.totals.failed)
	if p.totals.canceled > 0 {
		fmt.Fprintf(p.w, ", %d stopped", p.totals.canceled)
	}
	fmt.Fprintf(p.w, "; %d attempts in %.1f s\n", p.attempts, time.Since(p.began).Seconds())
	return p.totals
}
