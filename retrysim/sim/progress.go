package sim

import "sync"

// progressCounter counts finished work and reports it.
type progressCounter struct {
	mu          sync.Mutex
	done, total int
	report      func(done, total int) // may be nil
}

func (c *progressCounter) add(n int) {
	if c.report == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
	c.report(c.done, c.total)
}
