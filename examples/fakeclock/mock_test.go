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

// autoMock is a Mock that advances by itself when something waits. A plain Mock works with
// retry.WithClock too, but then the test must call Add from another goroutine after the wait has
// begun.
type autoMock struct{ *clock.Mock }

func (c autoMock) After(d time.Duration) <-chan time.Time {
	due := c.Mock.After(d)
	c.Add(d)
	return due
}

func TestOnMock(t *testing.T) {
	t.Parallel()
	clk := autoMock{clock.NewMock()}
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
