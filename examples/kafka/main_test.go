package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		b := brokerWith(t, n, 300, faults)
		require.NoError(t, consumeAll(longContext(t), b, 300))
		r := mustInspect(t, b)
		require.NoError(t, r.check(300))

		assert.Len(t, withoutDuplicates(r.invoices), 288)
		assert.Greater(t, len(r.invoices), 288, "there are duplicates, which a reader drops")
		letters := byKey(r.letters)
		assert.Len(t, letters, 12)
		for number, want := range map[int][2]string{
			zeroAmount:   {"1", "an order for nothing"},
			invalidJSON:  {"1", "not an order: unexpected end of JSON input"},
			tooLarge:     {"1", "MESSAGE_TOO_LARGE: "},
			neverWritten: {"5", "NOT_ENOUGH_REPLICAS: "},
		} {
			in := r.at(number)
			require.NotNil(t, in)
			letter := letters[origin(in)][0]
			assert.Equal(t, in.Key, letter.Key)
			assert.Equal(t, in.Value, letter.Value)
			assert.Equal(t, "north", headerOf(letter, "shop"), "a header that the order had")
			assert.Equal(t, origin(in), headerOf(letter, letterOrigin))
			assert.True(t, strings.HasPrefix(headerOf(letter, letterError), want[1]), headerOf(letter, letterError))
			if number != tooLarge { // earlier attempts may have failed with others of its batch
				assert.Equal(t, want[0], headerOf(letter, letterAttempts), number)
			}
		}
		for _, what := range []string{"message too large", "not enough replicas", "not enough replicas after append", "reply lost"} {
			assert.Positive(t, b.faultCounts()[what], what)
		}
	})
}

// The program itself runs over the loopback interface, in real time.
func TestLoopback(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	require.NoError(t, run(ctx, &out, 100, network{}))
	t.Log(out.String())
	assert.Regexp(t, `(?s)^100 orders in 3 partitions\n.*\n96 invoices in 1\d\d records\n4 dead letters in \d+ records\n`, out.String())
	assert.Regexp(t, `(?m)^  orders/\d/\d+ of customer 17, attempts: 5, NOT_ENOUGH_REPLICAS: `, out.String())
	assert.Regexp(t, `(?m)^orders/1: committed up to 40 of 40$`, out.String())
}

func TestNoOrders(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, -1} {
		require.ErrorContains(t, run(t.Context(), io.Discard, n, network{}), "at least 1")
	}
}

// An interrupted run returns the context's error.
func TestRunInterrupted(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, n network) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, run(ctx, io.Discard, 300, n), context.DeadlineExceeded)
	})
}
