package servers

import (
	"database/sql"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// pgbouncerOf returns the kind of a pooler in front of the server at the address upstream.
func pgbouncerOf(upstream string) *kind {
	return &kind{
		name:   "PgBouncer",
		debian: "pgbouncer",
		user:   "postgres",
		signal: "KILL",
		find: func() (program, installer string) {
			return find([]string{"/usr/sbin", "/usr/bin"}, "pgbouncer"), ""
		},
		prepare: func(s *Server, _ string, settings []string) ([]string, error) {
			return nil, writePgBouncerConfig(s, upstream, settings)
		},
		run: func(program, folder, _ string, _ []string) []string {
			return []string{program, "--quiet", filepath.Join(folder, "pgbouncer.ini")}
		},
		dsn:    postgresDSN,
		open:   openPgBouncerConsole,
		folder: "SHOW CONFIG", // its logfile is in the folder
	}
}

func writePgBouncerConfig(s *Server, upstream string, settings []string) error {
	host, port, err := net.SplitHostPort(upstream)
	if err != nil {
		return err
	}
	_, own, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return err
	}
	users := filepath.Join(s.folder, "users.txt")
	lines := append([]string{
		"[databases]",
		"* = host=" + host + " port=" + port,
		"[pgbouncer]",
		"listen_addr = 127.0.0.1",
		"listen_port = " + own,
		"unix_socket_dir =",
		"auth_type = trust",
		"auth_file = " + users,
		"admin_users = postgres",
		"logfile = " + filepath.Join(s.folder, "pgbouncer.log"),
		"ignore_startup_parameters = extra_float_digits",
	}, settings...)
	if err := os.WriteFile(users, []byte(`"postgres" ""`+"\n"), 0o644); err != nil { //nolint:gosec // the pooler's account reads it
		return err
	}
	text := strings.Join(lines, "\n") + "\n"
	return os.WriteFile(filepath.Join(s.folder, "pgbouncer.ini"), []byte(text), 0o644) //nolint:gosec // as above
}

// openPgBouncerConsole opens the pooler's own database, which answers only simple queries.
func openPgBouncerConsole(addr string) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig("postgres://postgres@" + addr + "/pgbouncer?sslmode=disable")
	if err != nil {
		return nil, err
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	return stdlib.OpenDB(*cfg), nil
}
