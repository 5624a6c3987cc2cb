package retrysql_test

import (
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// TestDeadConnectionCostsNoAttempt checks that a connection that died in the pool is replaced
// within the attempt, as database/sql does by itself.
func TestDeadConnectionCostsNoAttempt(t *testing.T) {
	t.Parallel()
	f := &fakeDB{fail: failFirst("begin", 1, driver.ErrBadConn)}
	require.NoError(t, retrysql.InTx(t.Context(), f.open(t), nil, insert("x"), retry.WithMaxAttempts(1)))
	assert.Equal(t, "connect begin connect begin x commit", f.steps())
}
