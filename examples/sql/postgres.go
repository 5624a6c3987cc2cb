package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/seed-205ff063/retry/retrysql"
)

// adminTimeout limits how long connecting may take, and removing the schema.
const adminTimeout = 10 * time.Second

// errDSN does not say what is wrong with the DSN, because the parser's error may contain the password.
var errDSN = errors.New("-dsn: cannot be used; want postgres://user:password@host:port/database?option=value or host=… user=…")

// openPostgres connects to the server and creates the tables in a new schema.
func openPostgres(ctx context.Context, dsn string) (*database, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errDSN
	}
	name := "retrysql_example_" + strings.ToLower(rand.Text()[:10])
	config.RuntimeParams["search_path"] = name // so statements need not name the schema
	var b commitBreaker
	// AfterNetConnect is called after TLS, unlike DialFunc, so the wrapper can recognize a COMMIT.
	config.AfterNetConnect = func(_ context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
		return b.wrap(conn), nil
	}

	db := stdlib.OpenDB(*config)
	if err = ping(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	d := &database{
		title:   "PostgreSQL, level serializable, connections that break at COMMIT",
		handles: [2]*sql.DB{db, db}, // the pool opens a connection for each writer
		options: &sql.TxOptions{Isolation: sql.LevelSerializable},
		settle:  retrysql.Postgres(),
		close:   func() error { return errors.Join(drop(ctx, db, name), db.Close()) },
	}
	// Without arguments these statements are sent together and take effect together or not at all.
	if _, err = db.ExecContext(ctx, "CREATE SCHEMA "+name+";"+schema); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// ping checks the connection. Its error is one line.
func ping(ctx context.Context, db *sql.DB) error {
	limited, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	err := db.PingContext(limited)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err() // interrupted
	}
	return fmt.Errorf("-dsn: %s", oneLine(err))
}

// oneLine returns the error's text on one line. pgx writes a line for each address that it tried, with
// and without TLS, and lines that repeat are dropped.
func oneLine(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	if len(lines) == 1 {
		return lines[0]
	}
	return lines[0] + " " + strings.Join(slices.Compact(lines[1:]), "; ")
}

// drop removes the schema, even if ctx has ended.
func drop(ctx context.Context, db *sql.DB, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), adminTimeout)
	defer cancel()
	_, err := db.ExecContext(ctx, "DROP SCHEMA IF EXISTS "+name+" CASCADE")
	return err
}
