package retryhttp

import (
	"context"
	"net/http"
	"sync"
)

// withCancel returns the context of a request's call, which ends with the request's context or
// when Request.Cancel is closed. Without a Request.Cancel it is the request's context and stop
// is nil. Otherwise stop must be called when the call is over.
func withCancel(req *http.Request) (ctx context.Context, stop func()) {
	if req.Cancel == nil { //nolint:staticcheck // net/http still obeys it, and http.Client uses it
		return req.Context(), nil
	}
	c := &cancelContext{
		Context: req.Context(),
		cancel:  req.Cancel, //nolint:staticcheck // see above
		stopped: make(chan struct{}),
	}
	return c, c.stop
}

// cancelContext is a context that also ends when a channel is closed. It starts a goroutine
// only when Done is called, because http.Client sets Request.Cancel on every request that has
// a time limit.
type cancelContext struct {
	context.Context
	cancel   <-chan struct{}
	stopped  chan struct{}
	stopOnce sync.Once
	doneOnce sync.Once
	done     chan struct{}
}

func (c *cancelContext) stop() { c.stopOnce.Do(func() { close(c.stopped) }) }

func (c *cancelContext) Err() error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	select {
	case <-c.cancel:
		return context.Canceled
	default:
		return nil
	}
}

func (c *cancelContext) Done() <-chan struct{} {
	c.doneOnce.Do(func() {
		c.done = make(chan struct{})
		go c.closeDone()
	})
	return c.done
}

// closeDone closes done when the context ends, unless stop is called first.
func (c *cancelContext) closeDone() {
	select {
	case <-c.cancel:
	case <-c.Context.Done():
	case <-c.stopped:
		return
	}
	close(c.done)
}
