package main

import (
	"context"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// selfWinding is a Mock that moves on by itself when somebody waits. A plain Mock fits
// retry.WithClock as well, but then the test must call Add from another goroutine, and not
// before the wait has begun.
type selfWinding struct{ *clock.Mock }

func (c selfWinding) After(d time.Duration) <-chan time.Time {
	due := c.Mock.After(d)
	c.Add(d)
	return due
}

func TestOnMock(t *testing.T) {
	t.Parallel()
	clk := selfWinding{clock.NewMock()}
	start := clk.Now()
	probes := 0
	err := WaitReady(t.Context(), func(context.Context) error {
		if probes++; probes < 4 {
			return errStarting
		}
		return nil
	}, retry.WithClock(clk))
	require.NoError(t, err)
	assert.Equal(t, 7*time.Second, clk.Now().Sub(start), "waits of 1, 2 and 4 seconds")
}
