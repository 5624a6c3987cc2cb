package retrynats_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/examples"
)

// TestExampleCoverage checks that every exported name has an example whose output is checked.
func TestExampleCoverage(t *testing.T) {
	t.Parallel()
	missing, err := examples.Missing(".")
	require.NoError(t, err)
	require.Empty(t, missing)
}
