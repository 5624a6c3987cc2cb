package cut_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/cut"
	"github.com/seed-205ff063/retry/internal/itest/servers"
)

func TestMain(m *testing.M) {
	_ = mysql.SetLogger(&mysql.NopLogger{}) // these tests break connections on purpose
	m.Run()
}

// target is a driver whose connections are cut.
type target struct {
	name, driver string
	options      string // added to the DSN
	prepares     bool   // it prepares statements with arguments before it executes them
	protocol     cut.Protocol
	start        func(t testing.TB, settings ...string) *servers.Server
	insert       string // SQL that inserts a number
	others       string // SQL that counts the connections of others
}

func postgres(name, driver, options string, prepares bool) target {
	return target{
		name, driver, options, prepares, cut.Postgres, servers.Postgres,
		"INSERT INTO n VALUES ($1)",
		"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
	}
}

func mariadb(name, options string, prepares bool) target {
	return target{
		name, "mysql", options, prepares, cut.MySQL, servers.MariaDB,
		"INSERT INTO n VALUES (?)",
		"SELECT count(*) FROM information_schema.processlist WHERE user = 'root' AND id <> connection_id()",
	}
}

var targets = []target{
	postgres("pgx", "pgx", "", true),
	postgres("pgx, simple protocol", "pgx", "&default_query_exec_mode=simple_protocol", false),
	postgres("pgx, at once", "pgx", "&default_query_exec_mode=exec", false),
	postgres("pgx, encryption preferred", "pgx", "&sslmode=prefer", true),
	postgres("pq", "postgres", "", true),
	postgres("pq, at once", "postgres", "&binary_parameters=yes", false),
	mariadb("mysql", "", true),
	mariadb("mysql, interpolated", "?interpolateParams=true", false),
}

// rig is a target, its server with an empty table, and a proxy in front of it.
type rig struct {
	target
	*cut.Proxy
	dsn    string  // through the proxy
	direct *sql.DB // without the proxy
}

// TestDrivers cuts the connections of each target in every way. All targets of one protocol use one
// server, one after the other.
func TestDrivers(t *testing.T) {
	t.Parallel()
	for _, protocol := range []cut.Protocol{cut.Postgres, cut.MySQL} {
		t.Run(protocol.String(), func(t *testing.T) {
			t.Parallel()
			var s *servers.Server
			for _, target := range targets {
				if target.protocol.String() != protocol.String() {
					continue
				}
				if s == nil {
					s = target.start(t)
				}
				for _, test := range []struct {
					name string
					run  func(t *testing.T, r *rig)
				}{
					{"connect", connect},
					{"statement", statement},
					{"transaction", transaction},
					{"begin", begin},
					{"pool", pool},
					{"copy", copies},
					{"hold", hold},
					{"hold with a deadline", holdWithDeadline},
					{"close all", closeAll},
					{"random", random},
				} {
					t.Run(target.name+"/"+test.name, func(t *testing.T) { test.run(t, newRig(t, target, s)) })
				}
			}
		})
	}
}

func newRig(t *testing.T, target target, s *servers.Server) *rig {
	t.Helper()
	r := &rig{target: target, Proxy: cut.New(t, s.Addr, target.protocol)}
	r.dsn = s.DSN(r.Addr) + target.options
	r.direct = open(t, target.driver, s.DSN(""))
	r.direct.SetMaxOpenConns(1)
	for _, text := range []string{"DROP TABLE IF EXISTS n", "CREATE TABLE n (i int)"} {
		_, err := r.direct.Exec(text)
		require.NoError(t, err)
	}
	return r
}

func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// conn returns a connection through the proxy. It is a single connection, so that database/sql cannot
// try again on another one.
func (r *rig) conn(t *testing.T) *sql.Conn {
	t.Helper()
	db := open(t, r.driver, r.dsn)
	db.SetMaxIdleConns(0)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	t.Cleanup(r.CloseAll) // runs before the Close above, which would wait for a held connection
	return conn
}

// waitUntilSettled waits until nobody else is connected, so that the table no longer changes.
func (r *rig) waitUntilSettled(t *testing.T) {
	t.Helper()
	assert.EventuallyWithT(t, func(t *assert.CollectT) {
		var n int
		require.NoError(t, r.direct.QueryRow(r.others).Scan(&n))
		assert.Zero(t, n)
	}, 10*time.Second, time.Millisecond)
}

// countOf waits until the table no longer changes and returns how often it has the number.
func (r *rig) countOf(t *testing.T, i int) int {
	t.Helper()
	r.waitUntilSettled(t)
	var n int
	require.NoError(t, r.direct.QueryRow(fmt.Sprintf("SELECT count(*) FROM n WHERE i = %d", i)).Scan(&n))
	return n
}

// describe describes an error with everything it wraps.
func describe(err error) string {
	text := fmt.Sprintf("%T %v", err, err)
	if inner := errors.Unwrap(err); inner != nil {
		text += "\n\t← " + describe(inner)
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, inner := range many.Unwrap() {
			text += "\n\t+ " + strings.ReplaceAll(describe(inner), "\n", "\n\t")
		}
	}
	if errors.Is(err, driver.ErrBadConn) {
		text += " (driver.ErrBadConn)"
	}
	if pgconn.SafeToRetry(err) {
		text += " (pgconn.SafeToRetry)"
	}
	return text
}

// ends are how cuts end a connection, by turns.
var ends = []string{"in order", "reset"}
