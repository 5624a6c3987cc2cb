// Sql moves money between accounts with package retrysql. Two writers work at the same time and get in
// each other's way.
//
//	go run ./examples/sql
//	go run ./examples/sql -dsn postgres://user:password@host:5432/database
//
// It takes less than a second with SQLite, and a second or two with PostgreSQL:
//
//  1. it creates three accounts: in a temporary SQLite file, or with -dsn in a PostgreSQL schema;
//  2. the writers make 16 transfers each, until all are committed;
//  3. a transfer of more money than an account has is refused at its first attempt;
//  4. it prints what the attempts met, checks the balances, and removes what it created.
//
// PostgreSQL must be version 13 or later. The transactions are serializable, and the program breaks
// some of its own connections at COMMIT. Worth a look:
//
//   - transfer.book reads the balances and writes them in one function, so each attempt begins with
//     reading. Writing again what was read before would undo the other writer's transfer;
//   - hooks count what the transactions met, without a line in the transactions;
//   - a COMMIT without a reply may have taken effect. Runner.Settle asks the database, and only a
//     transaction that was rolled back is run again;
//   - audit trusts none of this: it compares the balances with the transfers on record.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/seed-205ff063/retry/examples/internal/help"
)

//go:embed main.go
var source string

func main() {
	dsn := flag.String("dsn", "", "`DSN` of a PostgreSQL server, a URL or key=value pairs; by default SQLite is used")
	help.Parse(source)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, *dsn)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// run makes the transfers in the database of the DSN and prints what happened.
func run(ctx context.Context, w io.Writer, dsn string) error {
	s, err := transfers(ctx, newLog(w), dsn)
	if err != nil {
		return err
	}
	return s.print(w)
}

// newLog returns a logger for lines without a time. Both writers use it, and it has a lock.
func newLog(w io.Writer) *log.Logger { return log.New(w, "", 0) }

// transfers makes the transfers, returns what happened, and leaves the database as it was.
func transfers(ctx context.Context, out *log.Logger, dsn string) (s *summary, err error) {
	d, err := open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	out.Println(d.title)
	return d.run(ctx, out)
}

func open(ctx context.Context, dsn string) (*database, error) {
	if dsn == "" {
		return openSQLite(ctx)
	}
	return openPostgres(ctx, dsn)
}
