package retryriver_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

// Everything that is wrong is in one error.
func TestFaults(t *testing.T) {
	t.Parallel()
	validated := retry.MustNew(retry.WithValidator(func(int, retry.Attempt) error { return nil }))
	_, err := retryriver.New(retryriver.Config{
		Policy: validated,
		Kinds:  map[string]*retry.Policy{"": constant(1), "mail": validated, "fine": nil},
	})
	require.ErrorIs(t, err, retry.ErrOption)
	for _, want := range []string{"Config.Policy: ", `Config.Kinds["mail"]: `, "Config.Kinds: an empty kind", "WithValidator"} {
		assert.ErrorContains(t, err, want)
	}
	assert.NotContains(t, err.Error(), "fine")
	assert.NotContains(t, err.Error(), "nil function")

	_, err = retryriver.New(retryriver.Config{})
	assert.NoError(t, err)
}

// What the caller does to its map later changes nothing.
func TestKindsAreCopied(t *testing.T) {
	t.Parallel()
	kinds := map[string]*retry.Policy{"mail": constant(1)}
	c := installed(t, retryriver.Config{Kinds: kinds})
	kinds["mail"] = constant(2)
	job := row(1)
	require.Error(t, work(c, job, fails(errBroken)))
	assert.Equal(t, 1, job.MaxAttempts, "discarded by the first policy")
}

// other is somebody's middleware.
type other struct {
	river.MiddlewareDefaults
}

func (*other) Work(ctx context.Context, _ *rivertype.JobRow, fn func(context.Context) error) error {
	return fn(ctx)
}

func TestInstall(t *testing.T) {
	t.Parallel()
	retrier, err := retryriver.New(retryriver.Config{Policy: constant(40), Kinds: map[string]*retry.Policy{"mail": constant(50)}})
	require.NoError(t, err)
	list := []rivertype.Middleware{&other{}, nil, nil}[:1]
	c := &river.Config{Middleware: list}
	retrier.Install(c)
	retrier.Install(c)
	require.Len(t, c.Middleware, 2, "installed once")
	assert.Equal(t, &other{}, c.Middleware[1], "the caller's is inside")
	assert.Same(t, c.RetryPolicy, c.Middleware[0])
	assert.Nil(t, list[:2][1], "the caller's slice is untouched")
	assert.Equal(t, 50, c.MaxAttempts)

	old := &river.Config{WorkerMiddleware: []rivertype.WorkerMiddleware{&other{}}, MaxAttempts: 3} //nolint:staticcheck // deprecated, and still in use
	retrier.Install(old)
	retrier.Install(old)
	assert.Empty(t, old.Middleware, "River takes one sort of list")
	assert.Len(t, old.WorkerMiddleware, 2) //nolint:staticcheck // deprecated, and still in use
	assert.Equal(t, 3, old.MaxAttempts, "the caller's")

	for _, row := range []struct {
		policy *retry.Policy
		want   int
	}{{constant(4), 0}, {constant(retry.Unlimited), 32767}, {constant(1 << 20), 32767}, {nil, 0}} {
		c := installed(t, retryriver.Config{Policy: row.policy})
		assert.Equal(t, row.want, c.MaxAttempts)
	}
}

// A context without River's slot for metadata, as in a unit test of a worker, is said and not fatal.
func TestOutsideRiver(t *testing.T) {
	t.Parallel()
	c := installed(t, retryriver.Config{Policy: constant(2)})
	c.Logger = slog.New(slog.DiscardHandler)
	assert.EqualError(t, work(c, row(1), fails(errBroken)), "broken")
}
