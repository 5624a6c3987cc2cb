// Sql moves money between accounts with package retrysql, by two writers that get in each
// other's way.
//
//	go run ./examples/sql
//	go run ./examples/sql -dsn postgres://user:password@host:5432/database
//
// The first is SQLite, in a temporary file that is removed at the end. The second is PostgreSQL
// 13 or later at level serializable, in a schema of its own that is dropped at the end; there
// the program also breaks some of its own connections at COMMIT. Both print the same tables and
// take a second or two. Worth a look:
//
//   - transfer.book reads the balances and writes them in one function, so that another attempt
//     begins with reading: to write again what was read before would undo the other's transfer;
//   - a transfer that the database refuses, for there is not so much money, is not repeated;
//   - the writers count by hooks what their transactions met, without a line in the transactions;
//   - a COMMIT without a reply may have taken place. Runner.Settle asks the database, and only
//     what was rolled back is run again;
//   - audit does not trust any of this: it compares the balances with the transfers on record.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"os"
	"os/signal"
)

func main() {
	dsn := flag.String("dsn", "", "where PostgreSQL is, as URL or as key=value; SQLite if empty")
	flag.Parse()
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

// newLog is there for its lock: both writers print.
func newLog(w io.Writer) *log.Logger { return log.New(w, "", 0) }

// transfers returns what happened, once the database has been left as it was before.
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
