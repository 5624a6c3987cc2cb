package servers_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/servers"
)

// TestStandby checks that a standby replays its primary, that it refuses writes until it is promoted,
// and that nothing is left of it.
func TestStandby(t *testing.T) {
	t.Parallel()
	var folder string
	t.Run("runs", func(t *testing.T) {
		primary := servers.Postgres(t)
		standby := servers.Standby(t, primary)
		folder = servers.Folder(standby)
		_, err := open(t, "pgx", primary.DSN("")).Exec("CREATE TABLE n (i int)")
		require.NoError(t, err)
		db := open(t, "pgx", standby.DSN(""))
		require.Eventually(t, func() bool {
			var n int
			return db.QueryRow("SELECT count(*) FROM n").Scan(&n) == nil
		}, 20*time.Second, 5*time.Millisecond)
		_, err = db.Exec("INSERT INTO n VALUES (1)")
		require.ErrorContains(t, err, "25006")
		_, err = db.Exec("SELECT pg_promote()")
		require.NoError(t, err)
		_, err = db.Exec("INSERT INTO n VALUES (1)")
		require.NoError(t, err)
	})
	checkGone(t, folder)
}

// TestPgBouncer checks that a pooler passes queries on, also after a restart, and that nothing is left
// of it.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	var folder string
	t.Run("runs", func(t *testing.T) {
		s := servers.Postgres(t)
		p := servers.PgBouncer(t, s.Addr, "max_client_conn = 77")
		folder = servers.Folder(p)
		asks := func(db *sql.DB) {
			var data string
			require.NoError(t, db.QueryRow("SHOW data_directory").Scan(&data))
			assert.Contains(t, data, servers.Folder(s))
		}
		asks(open(t, "pgx", p.DSN("")))
		p.Restart(t)
		asks(open(t, "pgx", p.DSN("")))
	})
	checkGone(t, folder)
}

// checkGone checks that nothing is left of a server. It skips the test if there was none.
func checkGone(t *testing.T, folder string) {
	t.Helper()
	if folder == "" {
		t.Skip("there was no server")
	}
	assert.Empty(t, remains(t, folder))
}
