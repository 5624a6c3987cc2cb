package cookbook

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

var errShutdown = errors.New("shutting down")

// draining is a switch for a whole service: once it is on, attempts that run may end, and no retry
// follows them.
type draining struct {
	once sync.Once
	done chan struct{}
}

func newDraining() *draining { return &draining{done: make(chan struct{})} }

func (d *draining) begin() { d.once.Do(func() { close(d.done) }) }

func (d *draining) stop(retry.Attempt) error {
	select {
	case <-d.done:
		return errShutdown
	default:
		return nil
	}
}

func TestDraining(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDraining()
		policy := retry.MustNew(retry.WithStop(d.stop))
		time.AfterFunc(time.Second, d.begin)
		calls := 0
		err := policy.Do(t.Context(), func(context.Context) error {
			calls++
			time.Sleep(2 * time.Second) // an attempt that runs is not interrupted
			return errTimeout
		})
		var e *retry.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, errShutdown, e.Reason)
		assert.Equal(t, 1, calls)
		assert.NoError(t, policy.Do(t.Context(), func(context.Context) error { return nil }))
	})
}
