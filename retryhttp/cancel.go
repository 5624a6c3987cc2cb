package retryhttp

import (
	"context"
	"net/http"
	"sync"
)

// withCancel returns the context of a request's call. It is the request's own, if that has no
// Request.Cancel, and otherwise one that ends when that channel is closed, too. Such a context
// needs a stop when the call is over, nil for the other.
func withCancel(req *http.Request) (ctx context.Context, stop func()) {
	if req.Cancel == nil { //nolint:staticcheck // net/http obeys it still, and http.Client uses it
		return req.Context(), nil
	}
	c := &cancelContext{
		Context: req.Context(),
		cancel:  req.Cancel, //nolint:staticcheck // see above
		stopped: make(chan struct{}),
	}
	return c, c.stop
}

// cancelContext joins a context and a channel. Nothing runs for it until its Done is asked for,
// because http.Client sets Request.Cancel for every request that has a time limit.
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
		go c.watch()
	})
	return c.done
}

func (c *cancelContext) watch() {
	select {
	case <-c.cancel:
	case <-c.Context.Done():
	case <-c.stopped:
		return
	}
	close(c.done)
}
