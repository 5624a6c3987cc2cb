package retry_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// A chain's second member starts from the beginning: its numbers count from 1 and its waits
// from 0.
func TestChainSecondMemberStartsAfresh(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		backoff retry.Backoff
		want    []time.Duration // with random numbers at the end of their ranges
	}{
		{
			"decorrelated starts at initial, not at the other's wait",
			retry.Chain(2, retry.Constant(9*time.Second), retry.Decorrelated(100*ms, 3)),
			[]time.Duration{9 * time.Second, 9 * time.Second, 300 * ms, 900 * ms, 2700 * ms},
		},
		{
			"decorrelated behind a chain of none",
			retry.Chain(0, retry.Constant(time.Hour), retry.Decorrelated(100*ms, 3)),
			[]time.Duration{300 * ms, 900 * ms},
		},
		{
			"decorrelated first, in the second place",
			retry.Chain(1, retry.Constant(9*time.Second), retry.Chain(2, retry.Decorrelated(100*ms, 3), retry.Constant(1))),
			[]time.Duration{9 * time.Second, 300 * ms, 900 * ms, 1},
		},
		{
			"decorrelated twice",
			retry.Chain(2, retry.Decorrelated(100*ms, 3), retry.Decorrelated(10*ms, 2)),
			[]time.Duration{300 * ms, 900 * ms, 20 * ms, 40 * ms},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := tryWaits(t, len(test.want), retry.WithBackoff(test.backoff), fixedRand(almostOne))
			assertWaits(t, test.want, got)
		})
	}
}

// A member of a chain sees its own number and wait, and otherwise the real attempt.
func TestChainMemberSeesAttempt(t *testing.T) {
	t.Parallel()
	var first, then []retry.Attempt
	tryWaits(t, 4, retry.WithName("fetch"), retry.WithBackoff(retry.Chain(2,
		retry.BackoffFunc(func(a retry.Attempt) time.Duration { first = append(first, a); return 5 }),
		retry.BackoffFunc(func(a retry.Attempt) time.Duration { then = append(then, a); return 7 }))))
	require.Len(t, first, 2)
	require.Len(t, then, 2)
	assert.Equal(t, []int{1, 2, 1, 2}, []int{first[0].Number, first[1].Number, then[0].Number, then[1].Number})
	assert.Equal(t, []time.Duration{0, 5, 0, 7},
		[]time.Duration{first[0].Waited, first[1].Waited, then[0].Waited, then[1].Waited})
	for _, a := range append(first, then...) {
		assert.Equal(t, "fetch", a.Name)
		assert.Equal(t, errRefused, a.Err)
	}
}
