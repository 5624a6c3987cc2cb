package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The run is in virtual time, so half an hour of work takes no real time.
func TestTwentyThousandItems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const items = 20_000
		began := time.Now()
		bar := 0
		got, err := run(t.Context(), io.Discard, items, 1, func() { bar++ })
		require.NoError(t, err)
		assert.Equal(t, items, got.produced)
		assert.Equal(t, items, got.done+got.failed)
		assert.Equal(t, items, bar)
		// 0.3⁴ = 0.81 % of the items fail for good, and an item takes 1 + 0.3 + 0.3² + 0.3³ = 1.417
		// attempts. The tolerance is four standard deviations.
		assert.InDelta(t, 0.0081, float64(got.failed)/items, 0.0026)
		assert.InDelta(t, 1.417, float64(got.attempts)/items, 0.022)
		assert.Equal(t, capacity, got.ahead, "the producer was ahead by the capacity, and no further")
		// Items that wait hold no consumer, so the consumers work nearly all the time.
		work := 85 * time.Millisecond * time.Duration(got.attempts) / consumers
		assert.InEpsilon(t, work, time.Since(began), 0.1)
	})
}

func TestLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		got, err := run(t.Context(), &out, 200, 7, func() {})
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		totals := lines[len(lines)-1]
		assert.Equal(t, fmt.Sprintf("200 items: %d done, %d failed; %d attempts in ", got.done, got.failed, got.attempts),
			totals[:strings.LastIndex(totals, " in ")+4])
		kinds := map[string]int{}
		for _, line := range lines[:len(lines)-1] {
			for kind, form := range map[string]string{
				"PROD":  `^PROD \d+ SZ [1-6]$`,
				"RETRY": `^C[1-3] RETRY \d+ [1-3] 0\.\d\d\d$`,
				"FAIL":  `^C[1-3] FAIL \d+ \d\.\d\d\d$`,
				"DONE":  `^C[1-3] DONE \d+ \d\.\d\d\d$`,
			} {
				if regexp.MustCompile(form).MatchString(line) {
					kinds[kind]++
				}
			}
		}
		assert.Equal(t, map[string]int{
			"PROD": 200, "RETRY": got.attempts - 200, "FAIL": got.failed, "DONE": got.done,
		}, kinds)
		assert.Positive(t, got.failed)
	})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var out bytes.Buffer
		got, err := run(ctx, &out, 1000, 3, func() {})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Less(t, got.produced, 100)
		assert.Equal(t, got.produced, got.done+got.failed+got.canceled, "every item has ended")
	})
}
