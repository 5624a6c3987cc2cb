package retrypool_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	ok := retrypool.Config[int]{Workers: 1, Capacity: 1}
	forString := retry.MustNew(retry.WithValidator(func(string, retry.Attempt) error { return nil }))
	forInt := retry.MustNew(retry.WithValidator(func(int, retry.Attempt) error { return nil }))
	for name, tt := range map[string]struct {
		change func(c *retrypool.Config[int])
		want   string
	}{
		"no workers":        {func(c *retrypool.Config[int]) { c.Workers = 0 }, "retrypool: Config.Workers: 0 is below 1"},
		"negative workers":  {func(c *retrypool.Config[int]) { c.Workers = -2 }, "retrypool: Config.Workers: -2 is below 1"},
		"no capacity":       {func(c *retrypool.Config[int]) { c.Capacity = 0 }, "retrypool: Config.Capacity: 0 is below 1"},
		"negative retrying": {func(c *retrypool.Config[int]) { c.MaxRetrying = -1 }, "retrypool: Config.MaxRetrying: -1 is negative"},
		"validator": {
			func(c *retrypool.Config[int]) { c.Policy = forString },
			"retry: WithValidator: a validator for string does not fit a call that returns int",
		},
		"all": {
			func(c *retrypool.Config[int]) { *c = retrypool.Config[int]{MaxRetrying: -3, Policy: forString} },
			"retrypool: Config.Workers: 0 is below 1\nretrypool: Config.Capacity: 0 is below 1\n" +
				"retrypool: Config.MaxRetrying: -3 is negative\n" +
				"retry: WithValidator: a validator for string does not fit a call that returns int",
		},
		"capacity below workers": {func(c *retrypool.Config[int]) { c.Workers = 2 }, ""},
		"a validator that fits":  {func(c *retrypool.Config[int]) { c.Policy = forInt }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ok
			tt.change(&c)
			p, err := retrypool.New(double, c)
			if tt.want == "" {
				require.NoError(t, err)
				require.NoError(t, p.Close(t.Context()))
				return
			}
			require.EqualError(t, err, tt.want)
			require.ErrorIs(t, err, retry.ErrOption)
			assert.Nil(t, p)
		})
	}
	_, err := retrypool.New[int, int](nil, ok)
	require.EqualError(t, err, "retrypool: fn: nil function")
	require.ErrorIs(t, err, retry.ErrOption)
}

func TestCapacityAbove(t *testing.T) {
	t.Parallel()
	tooMany := uint(1) << 31
	if int(tooMany) < 0 {
		t.Skip("an int has 32 bits")
	}
	_, err := retrypool.New(double, retrypool.Config[int]{Workers: 1, Capacity: int(tooMany)})
	require.EqualError(t, err, "retrypool: Config.Capacity: 2147483648 is above 2147483647")
}

func TestDefaultPolicy(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, alwaysFails, retrypool.Config[int]{})
		_, err := submit(t, p, 1).Wait(t.Context())
		assert.Equal(t, 5, retryError(t, err).Attempts)
	})
}
