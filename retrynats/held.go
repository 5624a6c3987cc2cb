package retrynats

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// heldMessages keeps the messages of this process from being delivered again while it handles them.
type heldMessages struct {
	mu     sync.Mutex
	held   map[*delivery]struct{}
	stopCh chan struct{}
}

// start tells the server in each interval that the messages are in progress.
func (h *heldMessages) start(interval time.Duration) {
	h.held, h.stopCh = map[*delivery]struct{}{}, make(chan struct{})
	ticker := time.NewTicker(max(interval, time.Millisecond))
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				for _, d := range h.all() {
					_ = d.msg.InProgress() // if it fails, the next one may arrive
				}
			case <-h.stopCh:
				return
			}
		}
	}()
}

func (h *heldMessages) stop() { close(h.stopCh) }

func (h *heldMessages) add(d *delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held[d] = struct{}{}
}

func (h *heldMessages) remove(d *delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.held, d)
}

func (h *heldMessages) all() []*delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.held))
}
