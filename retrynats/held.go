package retrynats

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// holder keeps messages from being delivered to somebody else while they are worked on.
type holder struct {
	mu   sync.Mutex
	held map[*delivery]struct{}
	stop chan struct{}
}

// keep tells the server once in every interval that the messages are in progress.
func (h *holder) keep(interval time.Duration) {
	h.held, h.stop = map[*delivery]struct{}{}, make(chan struct{})
	ticker := time.NewTicker(max(interval, time.Millisecond))
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				for _, d := range h.all() {
					_ = d.msg.InProgress() // the next one may get through
				}
			case <-h.stop:
				return
			}
		}
	}()
}

func (h *holder) release() { close(h.stop) }

func (h *holder) add(d *delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held[d] = struct{}{}
}

func (h *holder) remove(d *delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.held, d)
}

func (h *holder) all() []*delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.held))
}
