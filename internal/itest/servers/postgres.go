package servers

import (
	"cmp"
	"database/sql"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

var postgres = &kind{
	name:   "PostgreSQL",
	debian: "postgresql",
	user:   "postgres",
	signal: "QUIT", // an immediate shutdown: connections break, and the next start recovers

	find: func() (program, installer string) {
		folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
		slices.SortFunc(folders, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
		installer = find(folders, "initdb")
		if installer == "" {
			return "", ""
		}
		return find([]string{filepath.Dir(installer)}, "postgres"), installer
	},

	install: func(installer, data string) []string {
		return []string{
			installer, "--pgdata=" + data, "--username=postgres", "--auth=trust",
			"--no-locale", "--encoding=UTF8", "--no-sync", "--no-instructions",
			"--wal-segsize=1", // MB: there is less to copy
		}
	},

	run:    runPostgres,
	dsn:    postgresDSN,
	open:   openPostgres,
	folder: "SHOW data_directory",
}

func runPostgres(program, folder, port string, settings []string) []string {
	args := []string{program, "-D", filepath.Join(folder, "data")}
	for _, setting := range append([]string{
		"listen_addresses=127.0.0.1",
		"port=" + port,
		"unix_socket_directories=", // none
		"fsync=off",                // a killed process loses nothing that it has written; only a crash of the machine would
		"deadlock_timeout=50ms",    // tests provoke deadlocks
	}, settings...) {
		args = append(args, "-c", setting)
	}
	return args
}

// standbyOf returns the kind of a standby of primary.
func standbyOf(primary *Server) *kind {
	return &kind{
		name:   "PostgreSQL standby",
		debian: postgres.debian,
		user:   postgres.user,
		signal: postgres.signal,
		find: func() (program, installer string) {
			program, installer = postgres.find()
			return program, find([]string{filepath.Dir(installer)}, "pg_basebackup")
		},
		prepare: func(s *Server, installer string, _ []string) ([]string, error) {
			return []string{
				installer, "--pgdata=" + filepath.Join(s.folder, "data"), "--dbname=" + primary.DSN(""),
				"--write-recovery-conf", "--checkpoint=fast", "--no-sync",
			}, nil
		},
		run:    runPostgres,
		dsn:    postgresDSN,
		open:   openPostgres,
		folder: postgres.folder,
	}
}

func openPostgres(addr string) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(postgresDSN(addr))
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*cfg), nil
}

func postgresDSN(addr string) string {
	return "postgres://postgres@" + addr + "/postgres?sslmode=disable"
}

// version returns the version of PostgreSQL in the folder's path, or 0.
func version(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return n
}
