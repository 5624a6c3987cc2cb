package retrysql_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/cut"
)

// TestBareStatement shows why none is safe to retry: where its reply is lost, database/sql runs it
// again by itself with lib/pq, and nobody hears of it. pgx did the same before 5.13.0, which no
// longer says of such a failure that it is safe to retry.
func TestBareStatement(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		system
		rows int
	}{{pgx, 1}, {pq, 2}, {mariadb, 1}} {
		t.Run(test.String(), func(t *testing.T) {
			t.Parallel()
			d := test.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
			for range 2 { // pgx pings a connection that it takes from the pool for the first time
				require.NoError(t, d.db.PingContext(t.Context()))
			}
			d.proxy.CutNext(cut.AfterStatement, 1)
			_, err := d.db.ExecContext(t.Context(), `INSERT INTO notes VALUES (1)`)
			d.settled(t)
			assert.Equal(t, test.rows, d.count(t, `SELECT count(*) FROM notes`))
			assert.Equal(t, test.rows == 2, err == nil, "%v", err)
		})
	}
}
