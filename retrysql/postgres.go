package retrysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-205ff063/retry"
)

// Postgres returns a [Settler] for PostgreSQL 13 and later. It notes the transaction's number
// (pg_current_xact_id_if_assigned) and asks for its status (pg_xact_status). The role needs no
// privileges for that. It works with poolers that keep a transaction on one connection.
//
// A server that crashes reuses the numbers of transactions that left no trace on its disk.
// Postgres therefore also notes when the server last recovered from a crash. After a later crash
// it believes a commit only if the number had reached the disk by then. Where that can no longer
// be told, the outcome is unknown. This is so after a failover, or when a checkpoint came
// between. Do not use Postgres with a server that only speaks PostgreSQL's language and has a log
// of another kind.
//
// A transaction without a number before COMMIT counts as one that changed nothing, and runs
// again. A transaction that only sends NOTIFY may therefore send it twice. A transaction that
// changes only other servers (postgres_fdw, dblink, shards) is not settled: let it write a row
// here as well.
func Postgres() Settler { return postgres{} }

type postgres struct{}

func (postgres) Note(ctx context.Context, tx *sql.Tx) (string, error) {
	return NotePostgres(ctx, queryRow(tx.QueryRowContext))
}

func (postgres) Settle(ctx context.Context, db *sql.DB, id string) (Outcome, error) {
	return SettlePostgres(ctx, queryRow(db.QueryRowContext), id)
}

// QueryRow runs a query that returns one row, and scans the row into dest. The elements of dest
// are *sql.NullString. [NotePostgres] and [SettlePostgres] use QueryRow to query through any
// driver.
type QueryRow func(ctx context.Context, query string, args []any, dest ...any) error

func queryRow(query func(ctx context.Context, query string, args ...any) *sql.Row) QueryRow {
	return func(ctx context.Context, text string, args []any, dest ...any) error {
		return query(ctx, text, args...).Scan(dest...)
	}
}

// timelineExpr is the timeline that the server writes. A standby that takes over starts a new one.
const timelineExpr = `substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)`

// recoveryExpr is when the server's statistics were last reset. A recovery from a crash resets
// them, and so does a command, but an orderly restart does not.
const recoveryExpr = `(SELECT to_char(stats_reset AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') FROM pg_stat_bgwriter)`

// NotePostgres is the Note of [Postgres] for a [Transactor]. The query must run in the
// transaction.
func NotePostgres(ctx context.Context, query QueryRow) (id string, err error) {
	var number, since sql.NullString
	const text = `SELECT number::text, CASE WHEN number IS NOT NULL THEN ` + recoveryExpr + ` || '/' || ` + timelineExpr + ` END
		FROM pg_current_xact_id_if_assigned() number`
	if err := query(ctx, text, nil, &number, &since); err != nil || !number.Valid {
		return "", err
	}
	return number.String + "@" + since.String, nil
}

// statusQuery asks for the status of transaction number $1. NotePostgres noted $2 with it: when
// the server had last recovered, and its timeline.
//
// After a crash the number still belongs to the transaction if the recovery found it. Then it is
// below the next number in the checkpoint at the end of the recovery. That checkpoint is still
// the last one if
//   - nothing ran beside it, so its two places in the log are the same;
//   - it came no earlier than the reset of the statistics (its time has whole seconds);
//   - the server was not restarted since.
//
// Otherwise the number may belong to another transaction, and the answer begins with "perhaps".
// It still proves that the transaction was not committed if the number is not committed, or is
// not yet in use, which is an error.
const statusQuery = `SELECT CASE
	WHEN pg_is_in_recovery() THEN 'on a standby'
	WHEN ` + recoveryExpr + ` || '/' || ` + timelineExpr + ` = $2::text THEN pg_xact_status($1::text::xid8)
	WHEN ` + timelineExpr + ` IS DISTINCT FROM split_part($2::text, '/', 2) OR (
			SELECT stats_reset BETWEEN pg_postmaster_start_time() AND checkpoint_time + interval '1 second'
			FROM pg_stat_bgwriter
		) IS NOT TRUE OR checkpoint_lsn <> redo_lsn
		THEN 'perhaps ' || pg_xact_status($1::text::xid8)
	WHEN split_part(next_xid, ':', 1)::numeric * 4294967296 + split_part(next_xid, ':', 2)::numeric <= $1::text::numeric
		THEN 'aborted'
	ELSE pg_xact_status($1::text::xid8)
END FROM pg_control_checkpoint()`

// SettlePostgres is the Settle of [Postgres] for a [Transactor]. The query must not run over the
// transaction's connection.
func SettlePostgres(ctx context.Context, query QueryRow, id string) (Outcome, error) {
	number, since, _ := strings.Cut(id, "@")
	var status sql.NullString
	err := query(ctx, statusQuery, []any{number, since}, &status)
	switch {
	case codeOf(err).state == "22023": // the number is not yet in use: a crash lost it
		return RolledBack, nil
	case err != nil:
		return Unknown, err
	case !status.Valid:
		return Unknown, retry.Permanent(fmt.Errorf("transaction %s is too old for pg_xact_status", number))
	}
	switch status.String {
	case "committed":
		return Committed, nil
	case "aborted", "perhaps aborted":
		return RolledBack, nil
	case "perhaps committed", "perhaps in progress":
		return Unknown, retry.Permanent(errNumberReused)
	}
	return Unknown, nil // in progress: the server has not noticed yet that the connection is lost
}

var errNumberReused = errors.New("the server has crashed since, or another has taken over, and may have given the transaction's number to another")
