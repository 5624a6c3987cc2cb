package retrysql_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/cut"
	"github.com/seed-205ff063/retry/internal/itest/servers"
)

func TestMain(m *testing.M) {
	_ = mysql.SetLogger(&mysql.NopLogger{}) // connections are cut on purpose
	m.Run()
}

// system is a driver and its kind of server.
type system struct {
	driver   string // its name in database/sql
	protocol cut.Protocol
	start    func(t testing.TB, settings ...string) *servers.Server
	busy     string // SQL that counts the open transactions of others
}

var (
	pgx = system{
		"pgx", cut.Postgres, servers.Postgres,
		`SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
	}
	pq      = system{"postgres", pgx.protocol, pgx.start, pgx.busy}
	mariadb = system{"mysql", cut.MySQL, servers.MariaDB, `SELECT count(*) FROM information_schema.innodb_trx`}
	systems = []system{pgx, pq, mariadb}
)

func (s system) String() string {
	return map[string]string{"pgx": "pgx", "postgres": "lib-pq", "mysql": "mysql"}[s.driver]
}

// sql returns the query with the driver's placeholders.
func (s system) sql(query string) string {
	if s.driver != "mysql" {
		return query
	}
	for _, n := range []string{"$1", "$2", "$3"} {
		query = strings.ReplaceAll(query, n, "?")
	}
	return query
}

// database is a server with a proxy in front of it.
type database struct {
	system
	server *servers.Server
	proxy  *cut.Proxy
	db     *sql.DB // through the proxy
	direct *sql.DB // without the proxy, to look at what happened
}

func (s system) database(t *testing.T, settings []string, schema ...string) *database {
	t.Helper()
	d := &database{system: s, server: s.start(t, settings...)}
	d.proxy = cut.New(t, d.server.Addr, s.protocol)
	d.db, d.direct = d.open(t, d.proxy.Addr), d.open(t, "")
	for _, statement := range schema {
		d.exec(t, statement)
	}
	return d
}

func (d *database) open(t *testing.T, addr string) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.server.DSN(addr))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// exec executes a statement, without the proxy.
func (d *database) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	_, err := d.direct.ExecContext(t.Context(), d.sql(query), args...)
	require.NoError(t, err, query)
}

// count returns the number that a query finds, without the proxy.
func (d *database) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, d.direct.QueryRowContext(t.Context(), d.sql(query), args...).Scan(&n), query)
	return n
}

// waitUntilSettled closes all connections of the proxy and waits until no transaction is open, so that rows can
// be counted.
func (d *database) waitUntilSettled(t *testing.T) {
	t.Helper()
	d.proxy.CloseAll()
	require.Eventually(t, func() bool { return d.count(t, d.busy) == 0 }, 20*time.Second, 5*time.Millisecond)
}

// checkIdle checks that every connection is back in the pool.
func (d *database) checkIdle(t *testing.T) {
	t.Helper()
	assert.Zero(t, d.db.Stats().InUse, "connections in use")
}

// codeOf returns the SQLSTATE of a server's error, or "" of another error.
func codeOf(err error) string {
	var state interface{ SQLState() string }
	var number *mysql.MySQLError
	switch {
	case errors.As(err, &state):
		return state.SQLState()
	case errors.As(err, &number):
		return string(number.SQLState[:])
	}
	return ""
}
