package retrysql_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/cut"
)

// TestBareStatement shows why a statement outside of a transaction is not safe to retry. If its reply is
// lost, database/sql with lib/pq silently runs it again. With pgx it did the same until pgx 5.13.0, which
// no longer reports such a failure as safe to retry.
func TestBareStatement(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		system
		rows int
	}{{pgx, 1}, {pq, 2}, {mariadb, 1}} {
		t.Run(test.String(), func(t *testing.T) {
			t.Parallel()
			d := test.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
			for range 2 { // pgx pings a connection the first time it takes it from the pool
				require.NoError(t, d.db.PingContext(t.Context()))
			}
			d.proxy.CutNext(cut.AfterStatement, 1)
			_, err := d.db.ExecContext(t.Context(), `INSERT INTO notes VALUES (1)`)
			d.waitUntilSettled(t)
			assert.Equal(t, test.rows, d.count(t, `SELECT count(*) FROM notes`))
			assert.Equal(t, test.rows == 2, err == nil, "%v", err)
		})
	}
}
