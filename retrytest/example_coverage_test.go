package retrytest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/examples"
)

func TestEveryExportHasAnExample(t *testing.T) {
	t.Parallel()
	missing, err := examples.Missing(".")
	require.NoError(t, err)
	assert.Empty(t, missing)
}
