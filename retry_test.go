package retry_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestDoValueReturnsLastValue(t *testing.T) {
	t.Parallel()
	count := func() func(context.Context) (int, error) {
		n := 0
		return func(context.Context) (int, error) {
			if n++; n < 4 {
				return 10 * n, errDown
			}
			return 10 * n, nil
		}
	}
	dead, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		opt  retry.Option
		want int
		err  error
	}{
		{"success", context.Background(), retry.WithMaxAttempts(5), 40, nil},
		{"failure", context.Background(), retry.WithMaxAttempts(3), 30, retry.ErrExhausted},
		{"no attempt", dead, retry.WithMaxAttempts(3), 0, retry.ErrContext},
		{"bad option", context.Background(), retry.WithMaxAttempts(-7), 0, retry.ErrOption},
		{"rejected", context.Background(), retry.WithValidator(func(int, retry.Attempt) error { return errOdd }), 50, retry.ErrRejected},
		{"accepted", context.Background(), retry.WithValidator(func(int, retry.Attempt) error { return nil }), 40, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := retry.DoValue(tt.ctx, count(), atOnce, tt.opt)
			assert.Equal(t, tt.want, v)
			if tt.err == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.err)
			}
		})
	}
}

func TestFunc(t *testing.T) {
	t.Parallel()
	calls := 0
	double := retry.Func(func(_ context.Context, in int) (string, error) {
		if calls++; calls%3 != 0 {
			return "half", errDown
		}
		return fmt.Sprint(2 * in), nil
	}, atOnce, retry.WithMaxAttempts(3))
	for _, in := range []int{4, 21} {
		out, err := double(context.Background(), in)
		require.NoError(t, err, "each call counts its own attempts")
		assert.Equal(t, fmt.Sprint(2*in), out)
	}
	calls = 0
	out, err := retry.Func(func(context.Context, int) (string, error) { return "part", errDown }, atOnce)(context.Background(), 1)
	require.ErrorIs(t, err, retry.ErrExhausted)
	assert.Equal(t, "part", out)
}

func TestFuncReportsErrorsAtEachCall(t *testing.T) {
	t.Parallel()
	f := retry.Func(func(context.Context, int) (int, error) { t.Error("called"); return 1, nil }, retry.WithHistorySize(-1))
	for range 2 {
		out, err := f(context.Background(), 1)
		require.EqualError(t, err, "retry: WithHistorySize: -1 is negative")
		require.ErrorIs(t, err, retry.ErrOption)
		assert.Zero(t, out)
	}
	_, err := retry.Func[int, int](nil, retry.WithHistorySize(-1))(context.Background(), 1)
	assert.EqualError(t, err, "retry: WithHistorySize: -1 is negative\nretry: Func: nil function")
}
