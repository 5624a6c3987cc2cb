// Package servers starts real database servers for tests: PostgreSQL, its standbys, PgBouncer and
// MariaDB, as Debian packages them. Each server has its own temporary folder and its own port on the
// loopback interface. A server ends with its test, even if the test's process is killed.
//
// If a server is not installed, the test is skipped. With RETRY_REQUIRE_SERVERS=1 the test fails
// instead.
package servers

import (
	"database/sql"
	"os"
	"testing"
)

// A Server runs until the test that started it ends.
type Server struct {
	Addr string // host:port

	kind     *kind
	folder   string
	guardian *guardian
}

// Postgres starts a PostgreSQL server for t. Settings have the form name=value.
func Postgres(t testing.TB, settings ...string) *Server {
	t.Helper()
	return postgres.start(t, settings)
}

// MariaDB starts a MariaDB server for t. Settings have the form name=value.
func MariaDB(t testing.TB, settings ...string) *Server {
	t.Helper()
	return mariadb.start(t, settings)
}

// Standby starts a standby of the PostgreSQL server primary for t. It replays what the primary writes
// and answers read-only queries. SELECT pg_promote() makes it a primary.
func Standby(t testing.TB, primary *Server, settings ...string) *Server {
	t.Helper()
	return standbyOf(primary).start(t, settings)
}

// PgBouncer starts a pooler for t, in front of the PostgreSQL server at the address upstream. Settings
// have the form name=value and belong to its section [pgbouncer].
func PgBouncer(t testing.TB, upstream string, settings ...string) *Server {
	t.Helper()
	return pgbouncerOf(upstream).start(t, settings)
}

// DSN returns the data source name for sql.Open. It leads to addr, such as a proxy's address, or to the
// server itself if addr is empty. To add a parameter, append "&name=value" to PostgreSQL's and
// "?name=value" to MariaDB's.
func (s *Server) DSN(addr string) string {
	if addr == "" {
		addr = s.Addr
	}
	return s.kind.dsn(addr)
}

// kind is a kind of server.
type kind struct {
	name   string
	debian string // Debian's package
	user   string // runs the server if the test runs as root, because servers refuse to run as root
	signal string // ends the server as a crash does

	find    func() (program, installer string)
	install func(installer, data string) []string                                              // makes the template
	prepare func(s *Server, installer string, settings []string) (command []string, err error) // fills the folder where there is no template
	run     func(program, folder, port string, settings []string) []string
	dsn     func(addr string) string
	open    func(addr string) (*sql.DB, error)
	folder  string // a query for the server's folder; its result has one column, or a name and a value

	template template
}

// unavailable ends a test that cannot have its server.
func (k *kind) unavailable(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("RETRY_REQUIRE_SERVERS") == "1" {
		t.Fatalf("%s %s", k.name, why)
	}
	t.Skipf("%s %s", k.name, why)
}
