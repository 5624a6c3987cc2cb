package retrytest_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrytest"
)

// isDone reports whether the Done channel of ctx is closed.
func isDone(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// timeoutEnd is a timeout and how the Clock advances.
type timeoutEnd struct {
	timeout time.Duration
	advance func(*retrytest.Clock)
	ended   bool
}

var timeoutEnds = map[string]timeoutEnd{
	"not advanced":        {time.Second, func(*retrytest.Clock) {}, false},
	"advanced too little": {time.Second, func(c *retrytest.Clock) { c.Advance(time.Second - 1) }, false},
	"advanced":            {time.Second, func(c *retrytest.Clock) { c.Advance(time.Second) }, true},
	"advanced past it":    {time.Second, func(c *retrytest.Clock) { c.Advance(time.Hour) }, true},
	"advanced in steps":   {time.Second, func(c *retrytest.Clock) { c.Advance(time.Second - 1); c.Advance(1) }, true},
	"waited":              {time.Second, func(c *retrytest.Clock) { c.After(time.Second) }, true},
	"zero timeout":        {0, func(*retrytest.Clock) {}, true},
	"negative timeout":    {-1, func(*retrytest.Clock) {}, true},
}

func TestWithTimeoutEnds(t *testing.T) {
	t.Parallel()
	for name, row := range timeoutEnds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clk retrytest.Clock
			clk.Advance(time.Hour)
			ctx, cancel := clk.WithTimeout(t.Context(), row.timeout)
			defer cancel()
			done := ctx.Done()
			derived, cancelDerived := context.WithCancel(ctx)
			defer cancelDerived()
			row.advance(&clk)

			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, start.Add(time.Hour+max(row.timeout, 0)), deadline)
			for name, ctx := range map[string]context.Context{"itself": ctx, "derived": derived} {
				assert.Equal(t, row.ended, isDone(ctx), name)
				if !row.ended {
					assert.NoError(t, ctx.Err(), name)
					assert.NoError(t, context.Cause(ctx), name)
					continue
				}
				<-done
				assert.Equal(t, context.DeadlineExceeded, ctx.Err(), name)
				assert.ErrorIs(t, context.Cause(ctx), context.DeadlineExceeded, name)
				var netErr net.Error
				require.ErrorAs(t, context.Cause(ctx), &netErr, name)
				assert.True(t, netErr.Timeout(), name)
			}
			cancel()
			want := context.Canceled
			if row.ended {
				want = context.DeadlineExceeded
			}
			assert.Equal(t, want, ctx.Err(), "the first end stays")
			assert.Equal(t, want, context.Cause(ctx))
			assert.Equal(t, want, derived.Err())
			clk.Advance(time.Hour)
			assert.Equal(t, want, ctx.Err(), "a cancelled context has no deadline to pass")
		})
	}
}

// TestWithTimeoutReleases checks that neither the Clock nor the parent keeps a cancelled context.
func TestWithTimeoutReleases(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	parent, end := context.WithCancel(t.Context())
	defer end()
	held := func() weak.Pointer[[64]byte] {
		value := new([64]byte)
		ctx, cancel := clk.WithTimeout(context.WithValue(parent, contextKey{}, value), time.Hour)
		defer cancel()
		require.NoError(t, ctx.Err())
		return weak.Make(value)
	}()
	runtime.GC()
	assert.Nil(t, held.Value())
	runtime.KeepAlive(&clk)
}

func TestWithTimeoutDeadline(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	shorter, cancel := clk.WithTimeout(t.Context(), time.Second)
	defer cancel()
	within, cancel := clk.WithTimeout(shorter, time.Hour)
	defer cancel()
	deadline, _ := within.Deadline()
	assert.Equal(t, start.Add(time.Second), deadline, "the earlier one")
	clk.Advance(time.Second)
	assert.Equal(t, context.DeadlineExceeded, within.Err())

	// A parent's real deadline that is before the virtual time does not end the context.
	late := retrytest.NewClock(time.Now().AddDate(100, 0, 0))
	parent, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	want, _ := parent.Deadline()
	ctx, cancel := late.WithTimeout(parent, time.Second)
	defer cancel()
	deadline, _ = ctx.Deadline()
	assert.Equal(t, want, deadline)
	assert.NoError(t, ctx.Err())
	late.Advance(time.Second)
	assert.Equal(t, context.DeadlineExceeded, ctx.Err())
}

// TestWithTimeoutStartsNoGoroutine runs in a bubble, which fails if a goroutine in it never ends.
func TestWithTimeoutStartsNoGoroutine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var clk retrytest.Clock
		parent, cancel := context.WithCancel(context.Background())
		ctx, _ := clk.WithTimeout(parent, time.Second)
		ctx, _ = clk.WithTimeout(ctx, time.Second)
		derived, cancelDerived := context.WithCancel(ctx)
		context.AfterFunc(derived, func() {})
		ended, _ := clk.WithTimeout(parent, 1)
		clk.Advance(1)
		assert.Error(t, ended.Err())
		// Nothing is cancelled here.
		_, _ = cancel, cancelDerived
	})
}

// TestWithTimeoutDials checks real connections. net/http dials without the request's deadline, so
// its clients work with any Clock.
func TestWithTimeoutDials(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(retrytest.Handler(http.StatusNoContent))
	t.Cleanup(server.Close)
	for name, row := range map[string]struct {
		clock *retrytest.Clock
		dials bool
	}{
		"zero clock": {new(retrytest.Clock), false},
		"from now":   {retrytest.NewClock(time.Now()), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := row.clock.WithTimeout(t.Context(), time.Hour)
			defer cancel()

			conn, err := new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
			assert.Equal(t, row.dials, err == nil, "%v", err)
			if err == nil {
				assert.NoError(t, conn.Close())
			}

			request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
			require.NoError(t, err)
			transport := new(http.Transport) // without connections of other rows
			defer transport.CloseIdleConnections()
			response, err := transport.RoundTrip(request)
			require.NoError(t, err)
			assert.NoError(t, response.Body.Close())
		})
	}
}
