package retryriver_test

import (
	"context"
	"testing"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

// other is another package's middleware.
type other struct {
	river.MiddlewareDefaults
}

func (*other) Work(ctx context.Context, _ *rivertype.JobRow, fn func(context.Context) error) error {
	return fn(ctx)
}

// TestInstall checks where the middleware is added and which MaxAttempts is set.
func TestInstall(t *testing.T) {
	t.Parallel()
	retrier, err := retryriver.New(retryriver.Config{Policy: constant(40), Kinds: map[string]*retry.Policy{"mail": constant(50)}})
	require.NoError(t, err)
	list := []rivertype.Middleware{&other{}, nil, nil}[:1]
	c := &river.Config{Middleware: list}
	retrier.Install(c)
	retrier.Install(c)
	require.Len(t, c.Middleware, 2, "installed once")
	assert.Equal(t, &other{}, c.Middleware[1], "the caller's middleware is inside")
	assert.Same(t, c.RetryPolicy, c.Middleware[0])
	assert.Nil(t, list[:2][1], "the caller's slice is untouched")
	assert.Equal(t, 50, c.MaxAttempts)

	old := &river.Config{WorkerMiddleware: []rivertype.WorkerMiddleware{&other{}}, MaxAttempts: 3} //nolint:staticcheck // deprecated, and still in use
	retrier.Install(old)
	retrier.Install(old)
	assert.Empty(t, old.Middleware, "River takes one kind of list")
	assert.Len(t, old.WorkerMiddleware, 2) //nolint:staticcheck // deprecated, and still in use
	assert.Equal(t, 3, old.MaxAttempts, "the caller's limit stays")

	for _, row := range []struct {
		policy *retry.Policy
		want   int
	}{{constant(4), 0}, {constant(retry.Unlimited), 32767}, {constant(1 << 20), 32767}, {nil, 0}} {
		c := installed(t, retryriver.Config{Policy: row.policy})
		assert.Equal(t, row.want, c.MaxAttempts)
	}
}
