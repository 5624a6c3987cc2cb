package retryriver_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

// TestErrors checks that one error names everything that is wrong.
func TestErrors(t *testing.T) {
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

// TestKindsAreCopied checks that later changes of the caller's map have no effect.
func TestKindsAreCopied(t *testing.T) {
	t.Parallel()
	kinds := map[string]*retry.Policy{"mail": constant(1)}
	c := installed(t, retryriver.Config{Kinds: kinds})
	kinds["mail"] = constant(2)
	job := row(1)
	require.Error(t, work(c, job, fails(errBroken)))
	assert.Equal(t, 1, job.MaxAttempts, "discarded by the first policy")
}
