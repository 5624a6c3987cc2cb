package retrynats

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// lastReconnect knows when the connection was last restored. A server that was killed may have
// forgotten earlier deliveries.
type lastReconnect struct {
	mu   sync.Mutex
	last time.Time
}

// watch notes reconnections until ctx ends.
func (r *lastReconnect) watch(ctx context.Context, conn *nats.Conn) {
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

// isAfter reports whether the connection was restored after t.
func (r *lastReconnect) isAfter(t time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last.After(t)
}
