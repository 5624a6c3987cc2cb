package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/semaphore"

	"github.com/seed-205ff063/retry"
)

// The run is in virtual time: work and waits take no real time.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), &out))
		t.Log(out.String())
		text, _, found := strings.Cut(out.String(), "\n== A server that")
		require.True(t, found) // TestCooldownOutput checks the rest
		assert.Equal(t, strings.TrimLeft(`
== Submit: a task for each
cat: cat.jpg at attempt 1
dog: dog.jpg at attempt 3
map: map.jpg at attempt 1

== Wait with a timeout, Cancel, and an item with a deadline
panorama, in 20 ms: not yet
panorama, later: panorama.jpg at attempt 1
poster, canceled: true, stopped
mural, with a deadline: too late

== Map: a sequence, in order
1: photo1.jpg
2: photo2.jpg
3: not a picture after 1 of 3 attempts
4: photo4.jpg
5: storage is busy after 3 of 3 attempts
6: photo6.jpg
7: photo7.jpg
8: photo8.jpg

== Limits that the pool shares
38 pictures: 34 done, 3 failed, 1 canceled
at most 4 of 4 units of memory in use
45 attempts, retries included, never more than 2 and 50 a second
`, "\n"), text)
	})
}

// requireRateLimit checks that no period of time has more attempts than the limiter allows.
func requireRateLimit(t *testing.T, starts []time.Time) {
	t.Helper()
	for i := range starts {
		for j := i; j < len(starts); j++ {
			took := starts[j].Sub(starts[i])
			require.LessOrEqual(t, float64(j-i+1), burst+limit*took.Seconds()+1e-6, "%d to %d", i, j)
		}
	}
}

// The printed limits hold in every period of the run.
func TestLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := newPreviewer()
		require.NoError(t, err)
		require.NoError(t, s.showLimits(t.Context(), io.Discard))
		require.NoError(t, s.pool.Close(t.Context()))

		require.Len(t, s.starts, 28)
		requireRateLimit(t, s.starts)
		assert.EqualValues(t, memory, s.peak)
		assert.Zero(t, s.used)
	})
}

// Pictures that waited for memory do not all start at once when it is free, because the limiter comes last.
func TestLimitAfterMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := newPreviewer()
		require.NoError(t, err)
		_, err = s.submit(t.Context(), &picture{name: "poster", units: memory, work: time.Second})
		require.NoError(t, err)
		synctest.Wait()
		for range workers - 1 {
			_, err := s.submit(t.Context(), &picture{name: "page", units: 1, work: quick})
			require.NoError(t, err)
		}
		require.NoError(t, s.pool.Close(t.Context()))
		require.Len(t, s.starts, workers)
		requireRateLimit(t, s.starts)
	})
}

// An item that waits for its next attempt holds neither memory nor a worker.
func TestParkedHoldsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := newPreviewer()
		require.NoError(t, err)
		for range workers {
			_, err := s.submit(t.Context(), &picture{name: "flaky", units: memory, work: quick, fails: 2})
			require.NoError(t, err)
		}
		began := time.Now()
		require.NoError(t, s.pool.Join(t.Context()))
		// Twelve attempts run one after the other, each with all the memory. Some wait while others work,
		// so only the waits of the last picture add to the time.
		assert.Less(t, time.Since(began), workers*(3*quick+2*30*time.Millisecond))
		require.NoError(t, s.pool.Close(t.Context()))
		assert.EqualValues(t, memory, s.peak)
	})
}

func TestByUnits(t *testing.T) {
	t.Parallel()
	sem := semaphore.NewWeighted(memory)
	gate := byUnits(sem)
	release, err := gate(context.WithValue(t.Context(), unitsKey{}, int64(3)), retry.Attempt{})
	require.NoError(t, err)
	assert.False(t, sem.TryAcquire(2))

	light, err := gate(t.Context(), retry.Attempt{})
	require.NoError(t, err, "one unit is the default")
	assert.False(t, sem.TryAcquire(1))

	light(nil)
	release(nil)
	assert.True(t, sem.TryAcquire(memory))
}

// A run that is interrupted at any moment ends at once with the context's error, and leaves no goroutine:
// the test's bubble would report it.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for after := time.Duration(0); after < 900*time.Millisecond; after += 7 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(after, cancel)
			defer cancel()
			if after == 0 {
				cancel()
			}
			began := time.Now()
			var out bytes.Buffer
			require.ErrorIs(t, run(ctx, &out), context.Canceled, after)
			assert.Equal(t, after, time.Since(began))
			assert.NotRegexp(t, `(?m)^\d: (stopped|not yet)`, out.String(), "an interrupted wait is not the outcome of a picture")
		})
	}
}
