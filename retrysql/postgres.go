package retrysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-205ff063/retry"
)

// Postgres returns a Settler for PostgreSQL 13 and later. It notes the transaction's number
// (pg_current_xact_id_if_assigned) and asks for its status (pg_xact_status). The role needs no
// privileges for that, and poolers that keep to a transaction's connection do no harm.
//
// A server that crashes gives the numbers of transactions that left no trace on its disk to
// others. So it also notes when the server last recovered from a crash, and after another one
// it believes a commit only if the number had reached the disk by then. Where that can no
// longer be told, as after a failover or when a checkpoint came between, the outcome is unknown.
// Servers that only speak PostgreSQL's language, with a log of another kind, are not for it.
//
// A transaction without a number before COMMIT counts as one that changed nothing, and is run
// again. So one that only sends NOTIFY may send it twice, and one that changes other servers
// alone (postgres_fdw, dblink, shards) is not settled: let it write a row here as well.
func Postgres() Settler { return postgres{} }

type postgres struct{}

func (postgres) Note(ctx context.Context, tx *sql.Tx) (string, error) {
	return NotePostgres(ctx, queryRow(tx.QueryRowContext))
}

func (postgres) Settle(ctx context.Context, db *sql.DB, id string) (Outcome, error) {
	return SettlePostgres(ctx, queryRow(db.QueryRowContext), id)
}

// QueryRow runs a query that returns one row and scans the row into dest, which are
// *sql.NullString. It is how [NotePostgres] and [SettlePostgres] ask by a driver of any kind.
type QueryRow func(ctx context.Context, query string, args []any, dest ...any) error

func queryRow(query func(ctx context.Context, query string, args ...any) *sql.Row) QueryRow {
	return func(ctx context.Context, text string, args []any, dest ...any) error {
		return query(ctx, text, args...).Scan(dest...)
	}
}

// timeline is the branch of history that the server writes; a standby that takes over begins
// another.
const timeline = `substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)`

// recovered is when the server last recovered from a crash, which resets its statistics, or was
// told to reset them. An orderly restart does not.
const recovered = `(SELECT to_char(stats_reset AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') FROM pg_stat_bgwriter)`

// NotePostgres is the Note of [Postgres] for a [Transactor]. The query must run in the transaction.
func NotePostgres(ctx context.Context, query QueryRow) (id string, err error) {
	var number, since sql.NullString
	const text = `SELECT number::text, CASE WHEN number IS NOT NULL THEN ` + recovered + ` || '/' || ` + timeline + ` END
		FROM pg_current_xact_id_if_assigned() number`
	if err := query(ctx, text, nil, &number, &since); err != nil || !number.Valid {
		return "", err
	}
	return number.String + "@" + since.String, nil
}

// statusQuery asks for the status of the number $1, which was noted on a server that had
// recovered, and was on the timeline, as $2 says.
//
// After a crash, the number is still the transaction's if the recovery found it: it is below the
// next one that the checkpoint at its end wrote down. That checkpoint is still the last one if
// it is of the kind that nothing runs beside, which its two places in the log say by being one,
// if it came no earlier than the reset of the statistics (its time has whole seconds), and the
// server was not restarted since. A number that is perhaps not the transaction's any more proves
// that it was not committed if that number is not, or is not yet in use, which is an error.
const statusQuery = `SELECT CASE
	WHEN pg_is_in_recovery() THEN 'on a standby'
	WHEN ` + recovered + ` || '/' || ` + timeline + ` = $2::text THEN pg_xact_status($1::text::xid8)
	WHEN ` + timeline + ` IS DISTINCT FROM split_part($2::text, '/', 2) OR (
			SELECT stats_reset BETWEEN pg_postmaster_start_time() AND checkpoint_time + interval '1 second'
			FROM pg_stat_bgwriter
		) IS NOT TRUE OR checkpoint_lsn <> redo_lsn
		THEN 'perhaps ' || pg_xact_status($1::text::xid8)
	WHEN split_part(next_xid, ':', 1)::numeric * 4294967296 + split_part(next_xid, ':', 2)::numeric <= $1::text::numeric
		THEN 'aborted'
	ELSE pg_xact_status($1::text::xid8)
END FROM pg_control_checkpoint()`

// SettlePostgres is the Settle of [Postgres] for a [Transactor]. The query must run over another
// connection than the transaction's.
func SettlePostgres(ctx context.Context, query QueryRow, id string) (Outcome, error) {
	number, since, _ := strings.Cut(id, "@")
	var status sql.NullString
	err := query(ctx, statusQuery, []any{number, since}, &status)
	switch {
	case codeOf(err).state == "22023": // a number of the future: it was lost in a crash
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
		return Unknown, retry.Permanent(errReused)
	}
	return Unknown, nil // in progress: the server has not yet noticed that nobody listens
}

var errReused = errors.New("the server has crashed since, or another has taken over, and may have given the transaction's number to another")
