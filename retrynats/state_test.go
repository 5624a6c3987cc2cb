package retrynats

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestMerge checks that entries of two workers for one message are merged so that each attempt
// counts once.
func TestMerge(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		own, stored entry
		attempts    int
		delivered   uint64
		err         string
	}{
		"counted as lost": {
			own:    entry{own: true, Attempts: 1, Delivered: 2, At: 20, Error: "down"},
			stored: entry{Attempts: 1, Delivered: 2, At: 10, Lost: true}, attempts: 1, delivered: 2, err: "down",
		},
		"written, but the answer was lost": {
			own:    entry{own: true, Attempts: 2, Delivered: 2, At: 20, Error: "down"},
			stored: entry{Attempts: 2, Delivered: 2, At: 20, Error: "down"}, attempts: 2, delivered: 2, err: "down",
		},
		"the server forgot the delivery": {
			own:    entry{own: true, Attempts: 1, Delivered: 1, At: 20, Error: "down"},
			stored: entry{Attempts: 1, Delivered: 1, At: 10, Error: "busy"}, attempts: 2, delivered: 1, err: "down",
		},
		"another worker is ahead": {
			own:    entry{own: true, Attempts: 1, Delivered: 1, At: 20, Error: "down"},
			stored: entry{Attempts: 3, Delivered: 3, At: 30, Error: "busy"}, attempts: 3, delivered: 3, err: "busy",
		},
		"given back": {
			own:    entry{Delivered: 2, At: 20},
			stored: entry{Attempts: 1, Delivered: 1, At: 10, Error: "busy"}, attempts: 1, delivered: 2, err: "busy",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := tt.own
			e.merge(tt.stored)
			assert.Equal(t, tt.attempts, e.Attempts)
			assert.Equal(t, tt.delivered, e.Delivered)
			assert.Equal(t, tt.err, e.Error)
		})
	}
}

// TestLostBefore checks the number of lost deliveries. A server that was killed may count from an
// earlier delivery.
func TestLostBefore(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		before, now uint64
		want        int
	}{{0, 0, 0}, {0, 1, 0}, {0, 2, 1}, {1, 2, 0}, {1, 4, 2}, {5, 3, 0}, {^uint64(0), 2, 0}, {0, ^uint64(0), 1 << 30}} {
		e := entry{Delivered: tt.before}
		assert.Equal(t, tt.want, e.lostBefore(tt.now), "%+v", tt)
	}
}
