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

// limit is how long the server may take to let us in, or to clear up behind us.
const limit = 10 * time.Second

// errDSN does not say what is wrong: the parser's words may contain the password, and it cannot
// know where that ends in something it failed to parse.
var errDSN = errors.New("-dsn: cannot be used; want postgres://user:password@host:port/database?option=value or host=… user=…")

// openPostgres connects to the server and creates the tables in a new schema.
func openPostgres(ctx context.Context, dsn string) (*database, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errDSN
	}
	name := "retrysql_example_" + strings.ToLower(rand.Text()[:10])
	config.RuntimeParams["search_path"] = name // so no statement has to name the schema
	var s saboteur
	// After TLS, unlike DialFunc, for the wrapper has to recognise a COMMIT.
	config.AfterNetConnect = func(_ context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
		return s.wrap(conn), nil
	}

	db := stdlib.OpenDB(*config)
	if err = ping(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	d := &database{
		title:   "PostgreSQL, level serializable, connections that break at COMMIT",
		handles: [2]*sql.DB{db, db}, // it opens a connection for each writer
		options: &sql.TxOptions{Isolation: sql.LevelSerializable},
		settle:  retrysql.Postgres(),
		close:   func() error { return errors.Join(drop(ctx, db, name), db.Close()) },
	}
	// Without arguments these are sent together, and take effect together or not at all.
	if _, err = db.ExecContext(ctx, "CREATE SCHEMA "+name+";"+schema); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// ping says in one line why there is no connection.
func ping(ctx context.Context, db *sql.DB) error {
	limited, cancel := context.WithTimeout(ctx, limit)
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

// oneLine is the text of an error to which pgx gives a line for each address that it tried, the
// same with TLS and without.
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

// drop removes the schema, also after the program was interrupted.
func drop(ctx context.Context, db *sql.DB, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	_, err := db.ExecContext(ctx, "DROP SCHEMA IF EXISTS "+name+" CASCADE")
	return err
}
