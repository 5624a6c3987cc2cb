package retrygrpc_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// TestVirtualTime checks that calls and streams wait in the time of a testing/synctest bubble.
func TestVirtualTime(t *testing.T) {
	t.Parallel()
	for _, method := range []string{get, list} {
		synctest.Test(t, func(t *testing.T) {
			s := flaky(2, errDown)
			cc := bufconns.connect(t, s, retry.WithBackoff(retry.Constant(time.Minute)))
			start := time.Now()
			assert.NoError(t, call(t.Context(), cc, method, "x"))
			assert.Equal(t, 2*time.Minute, time.Since(start))
			cc.Close()
		})
	}
}

// TestClock checks that calls and streams wait by the policy's clock.
func TestClock(t *testing.T) {
	t.Parallel()
	for _, method := range []string{get, list} {
		clock := retrytest.NewClock(time.Unix(0, 0)) // its waits take no time
		s := flaky(2, errDown)
		cc := bufconns.connect(t, s, retry.WithBackoff(retry.Constant(time.Hour)), retry.WithClock(clock))
		assert.NoError(t, call(t.Context(), cc, method, "x"))
		assert.EqualValues(t, 3, s.calls.Load())
		assert.Equal(t, []time.Duration{time.Hour, time.Hour}, clock.Waits())
	}
}
