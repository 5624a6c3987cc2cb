package retrynats

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// reconnects knows when the connection was last made anew. A server that was killed may have
// forgotten deliveries of messages that it had before.
type reconnects struct {
	mu   sync.Mutex
	last time.Time
}

// watch notes reconnections until ctx ends.
func (r *reconnects) watch(ctx context.Context, conn *nats.Conn) {
	status := conn.StatusChanged(nats.CONNECTED)
	go func() {
		defer conn.RemoveStatusListener(status)
		for {
			select {
			case _, open := <-status:
				if !open {
					return
				}
				r.mu.Lock()
				r.last = time.Now()
				r.mu.Unlock()
			case <-ctx.Done():
				return
			}
		}
	}()
}

// since reports whether the connection was made anew after t.
func (r *reconnects) since(t time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last.After(t)
}
