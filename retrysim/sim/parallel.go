package sim

import (
	"context"
	"runtime"
	"sync"
)

// parallel calls work for 0 to n-1 on all processors. It starts no more work after an error or
// the end of the context. It returns the context's cause if the context has ended, otherwise
// the error with the lowest index.
func parallel(ctx context.Context, n int, work func(i int) error) error {
	p := parallelWork{n: n, errIndex: n}
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i, ok := p.take(ctx); ok; i, ok = p.take(ctx) {
				if err := work(i); err != nil {
					p.fail(i, err)
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return p.err
}

// parallelWork is the state that the goroutines of parallel share.
type parallelWork struct {
	mu       sync.Mutex
	next, n  int
	err      error
	errIndex int // of err
}

// take returns the next index to work on, if any.
func (p *parallelWork) take(ctx context.Context) (i int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	return p.next - 1, p.next <= p.n && p.err == nil && ctx.Err() == nil
}

// fail stores the error if it has the lowest index so far.
func (p *parallelWork) fail(i int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i < p.errIndex {
		p.err, p.errIndex = err, i
	}
}
