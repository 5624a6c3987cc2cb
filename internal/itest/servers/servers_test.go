package servers_test

import (
	"context"
	"database/sql"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/servers"
)

func TestMain(m *testing.M) {
	_ = mysql.SetLogger(&mysql.NopLogger{}) // these tests break connections on purpose
	m.Run()
}

var kinds = []struct {
	name, driver string
	start        func(t testing.TB, settings ...string) *servers.Server
	setting      string // a setting to start the server with
	show, want   string // a query for that setting, and the answer
}{
	{"PostgreSQL", "pgx", servers.Postgres, "lock_timeout=123ms", "SELECT current_setting('lock_timeout')", "123ms"},
	{"MariaDB", "mysql", servers.MariaDB, "innodb-lock-wait-timeout=123", "SELECT @@innodb_lock_wait_timeout", "123"},
}

func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// remains returns what is left of a server: files whose path begins with the folder, and processes that
// have the folder in their command line or work in it.
func remains(t *testing.T, folder string) []string {
	t.Helper()
	left, err := filepath.Glob(folder + "*")
	require.NoError(t, err)
	processes, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, p := range processes {
		command, _ := os.ReadFile(filepath.Join(p, "cmdline")) // fails if the process has ended
		cwd, _ := os.Readlink(filepath.Join(p, "cwd"))
		if strings.Contains(string(command), folder) || strings.HasPrefix(cwd, folder) {
			left = append(left, p+" "+string(command))
		}
	}
	return left
}

func listens(t *testing.T, addr string) bool {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", addr)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

func TestServer(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			var addr, folder string
			t.Run("runs", func(t *testing.T) {
				start := time.Now()
				s := k.start(t, k.setting)
				t.Logf("started in %v, perhaps while others started", time.Since(start))
				addr, folder = s.Addr, servers.Folder(s)
				require.NotEmpty(t, remains(t, folder))
				require.True(t, listens(t, addr))

				db := open(t, k.driver, s.DSN(""))
				var one, value string
				require.NoError(t, db.QueryRow("SELECT 1").Scan(&one))
				assert.Equal(t, "1", one)
				require.NoError(t, db.QueryRow(k.show).Scan(&value))
				assert.Equal(t, k.want, value)
			})
			if addr == "" {
				t.Skip("there was no server")
			}
			assert.False(t, listens(t, addr))
			assert.Empty(t, remains(t, folder))
		})
	}
}

// TestTemporaryTables checks that MariaDB has its own folder for temporary tables. When it starts it
// deletes all it finds there, which would make another server fail that is starting.
func TestTemporaryTables(t *testing.T) {
	t.Parallel()
	s := servers.MariaDB(t)
	var folder string
	require.NoError(t, open(t, "mysql", s.DSN("")).QueryRow("SELECT @@tmpdir").Scan(&folder))
	assert.Equal(t, servers.Folder(s), folder)
}

// TestRestart checks that a restart loses only what was not committed.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s := k.start(t)
			db := open(t, k.driver, s.DSN(s.Addr))
			_, err := db.Exec("CREATE TABLE n (i int PRIMARY KEY)")
			require.NoError(t, err)
			for i := range 3 {
				_, err := db.Exec("INSERT INTO n VALUES (" + string(rune('1'+i)) + ")")
				require.NoError(t, err)
				tx, err := db.Begin()
				require.NoError(t, err)
				_, err = tx.Exec("INSERT INTO n VALUES (-1)")
				require.NoError(t, err)

				start := time.Now()
				s.Restart(t)
				t.Logf("restarted in %v", time.Since(start))

				require.Error(t, tx.Commit())
				// Use new connections: the open ones are dead, which shows only when they are used.
				var count, sum int
				db := open(t, k.driver, s.DSN(""))
				require.NoError(t, db.QueryRow("SELECT count(*), sum(i) FROM n").Scan(&count, &sum))
				assert.Equal(t, i+1, count)
				assert.Equal(t, []int{1, 3, 6}[i], sum)
			}
		})
	}
}

// TestSeveral checks that servers share nothing.
func TestSeveral(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			_ = k.start(t) // now the template exists
			start := time.Now()
			a := k.start(t)
			t.Logf("another server started in %v", time.Since(start))
			b := k.start(t)
			assert.NotEqual(t, a.Addr, b.Addr)
			_, err := open(t, k.driver, a.DSN("")).Exec("CREATE TABLE n (i int)")
			require.NoError(t, err)
			_, err = open(t, k.driver, b.DSN("")).Exec("CREATE TABLE n (i int)")
			require.NoError(t, err)
		})
	}
}
