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
	_ = mysql.SetLogger(&mysql.NopLogger{}) // connections break off here
	m.Run()
}

// target is a driver that is cut off from its server.
type target struct {
	name, driver string
	options      string // added to the DSN
	prepares     bool   // statements with arguments, before it executes them
	protocol     cut.Protocol
	start        func(t testing.TB, settings ...string) *servers.Server
	insert       string // of a number
	others       string // counts the connections of others
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

// rig is a target with a server that has an empty table, and a proxy before it.
type rig struct {
	target
	*cut.Proxy
	dsn    string // by the proxy
	direct *sql.DB
}

// TestDrivers runs all that follows, of one target after the other on a server of theirs.
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

// conn returns a connection by the proxy. It is a single one so that database/sql has no other
// to try again on.
func (r *rig) conn(t *testing.T) *sql.Conn {
	t.Helper()
	db := open(t, r.driver, r.dsn)
	db.SetMaxIdleConns(0)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	t.Cleanup(r.CloseAll) // before that, which waits for what is held
	return conn
}

// settled returns once nobody else is connected: what was going to happen has happened.
func (r *rig) settled(t *testing.T) {
	t.Helper()
	assert.EventuallyWithT(t, func(t *assert.CollectT) {
		var n int
		require.NoError(t, r.direct.QueryRow(r.others).Scan(&n))
		assert.Zero(t, n)
	}, 10*time.Second, time.Millisecond)
}

// has returns how often the number is in the table.
func (r *rig) has(t *testing.T, i int) int {
	t.Helper()
	r.settled(t)
	var n int
	require.NoError(t, r.direct.QueryRow(fmt.Sprintf("SELECT count(*) FROM n WHERE i = %d", i)).Scan(&n))
	return n
}

// shown is what there is to know of an error.
func shown(err error) string {
	text := fmt.Sprintf("%T %v", err, err)
	if inner := errors.Unwrap(err); inner != nil {
		text += "\n\t← " + shown(inner)
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, inner := range many.Unwrap() {
			text += "\n\t+ " + strings.ReplaceAll(shown(inner), "\n", "\n\t")
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

// ends are what a cut is by turns.
var ends = []string{"in order", "reset"}
