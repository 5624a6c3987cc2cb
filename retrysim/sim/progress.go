package sim

import (
	"context"
	"runtime"
	"sync"
)

// meter counts finished work and reports it.
type meter struct {
	mu          sync.Mutex
	done, total int
	report      func(done, total int)
}

func (m *meter) add(n int) {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done += n
	m.report(m.done, m.total)
}

// parallel calls work for 0 to n-1 on all processors and returns the error of the lowest
// number. It begins no more work after the context has ended or an error was returned.
func parallel(ctx context.Context, n int, work func(i int) error) error {
	var (
		mu    sync.Mutex
		next  int
		first error
		where = n
		wg    sync.WaitGroup
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= n && first == nil && ctx.Err() == nil
	}
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				if err := work(i); err != nil {
					mu.Lock()
					if i < where {
						first, where = err, i
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return first
}
