// Package servers starts real database servers for tests: PostgreSQL, its standbys, PgBouncer and
// MariaDB as Debian packages them, each in a temporary folder, on a port of the loopback of its own. Whatever
// becomes of the test, its servers end with it.
//
// Where a server is not installed the test is skipped, unless RETRY_REQUIRE_SERVERS=1 makes
// that a failure.
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

// Postgres starts a PostgreSQL server of its own for t. Settings are of the form name=value.
func Postgres(t testing.TB, settings ...string) *Server {
	t.Helper()
	return postgres.start(t, settings)
}

// MariaDB starts a MariaDB server of its own for t. Settings are of the form name=value.
func MariaDB(t testing.TB, settings ...string) *Server {
	t.Helper()
	return mariadb.start(t, settings)
}

// Standby starts a standby of the PostgreSQL server primary for t. It answers queries that only
// read, and replays what the primary writes until it is promoted: SELECT pg_promote().
func Standby(t testing.TB, primary *Server, settings ...string) *Server {
	t.Helper()
	return standbyOf(primary).start(t, settings)
}

// PgBouncer starts a pooler before the PostgreSQL server at the address upstream for t. Settings
// are those of its section [pgbouncer], of the form name=value.
func PgBouncer(t testing.TB, upstream string, settings ...string) *Server {
	t.Helper()
	return pgbouncerOf(upstream).start(t, settings)
}

// DSN returns what sql.Open takes to reach the server at another address, such as a proxy's, or
// at its own if addr is empty. PostgreSQL's is a URL with a query to which more can be added,
// MariaDB's has no parameters yet.
func (s *Server) DSN(addr string) string {
	if addr == "" {
		addr = s.Addr
	}
	return s.kind.dsn(addr)
}

// kind is what sorts of servers differ in.
type kind struct {
	name   string
	debian string // the package that brings it
	user   string // who runs it where the test runs as root, which servers refuse to
	signal string // ends it the way a crash does

	find    func() (program, installer string)
	install func(installer, data string) []string                                              // makes the template
	prepare func(s *Server, installer string, settings []string) (command []string, err error) // fills the folder where there is no template
	run     func(program, folder, port string, settings []string) []string
	dsn     func(addr string) string
	open    func(addr string) (*sql.DB, error)
	folder  string // a query for the one that the server works in, of one column or of a name and a value

	template template
}

// unavailable ends the test, which cannot have its server.
func (k *kind) unavailable(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("RETRY_REQUIRE_SERVERS") == "1" {
		t.Fatalf("%s %s", k.name, why)
	}
	t.Skipf("%s %s", k.name, why)
}
