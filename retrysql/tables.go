package retrysql

// set is a set of codes.
type set[C comparable] = map[C]bool

func setOf[C comparable](codes ...C) set[C] {
	s := make(set[C], len(codes))
	for _, c := range codes {
		s[c] = true
	}
	return s
}

// transientState holds the SQLSTATEs that another attempt may not meet, see
// https://www.postgresql.org/docs/current/errcodes-appendix.html
var transientState = setOf(
	"40001", "40P01", "55P03", // serialization failure, deadlock, lock not available
	"08000", "08001", "08003", "08006", // connection: exception, not made, not there, failed
	"08P01",                   // protocol violation: PgBouncer's code for all its own errors
	"26000",                   // a prepared statement is gone; drivers prepare it again
	"57P01", "57P02", "57P03", // the server shuts down, has crashed, cannot connect now
	"57P05", "25P03", // idle for too long, idle in a transaction for too long
	"53300", // too many connections
)

// rolledBackMySQL holds the numbers of errors that say that the server rolled back the transaction
// because of other transactions. They say so of a COMMIT too, see
// https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html and
// https://docs.pingcap.com/tidb/stable/error-codes
var rolledBackMySQL = setOf(
	1213, // deadlock
	3101, // a plugin had the server roll back (group replication)
	9007, // TiDB: write conflict found by TiKV
	8002, // TiDB: write conflict of a transaction with SELECT FOR UPDATE
	8022, // TiDB: COMMIT failed and was rolled back
	8028, // TiDB: the schema has changed meanwhile
)

// transientMySQL holds further numbers that another attempt may not meet. They do not say what
// became of a COMMIT.
var transientMySQL = setOf(
	1205, 3572, // lock wait timeout, which ends only the statement; lock not available
	1020,       // MariaDB's snapshot isolation: the row was changed meanwhile
	1040, 1053, // too many connections, the server shuts down
)

// rolledBackSQLServer holds the numbers of errors that say that SQL Server rolled back the
// transaction because of other transactions. They say so of a COMMIT too:
//   - https://learn.microsoft.com/sql/relational-databases/sql-server-deadlocks-guide (1205)
//   - https://learn.microsoft.com/sql/relational-databases/errors-events/mssqlserver-3960-database-engine-error
//   - https://learn.microsoft.com/sql/relational-databases/in-memory-oltp/transactions-with-memory-optimized-tables (413xx)
var rolledBackSQLServer = setOf(
	1205,  // deadlock
	3960,  // update conflict under snapshot isolation
	41301, // a transaction that this one depended on has aborted
	41302, // update conflict on a memory-optimized table
	41305, // repeatable read validation failed
	41325, // serializable validation failed
)

// transientSQLServer holds the numbers of Azure SQL that another attempt may not meet. They do not
// say what became of a COMMIT, see
// https://learn.microsoft.com/azure/azure-sql/database/troubleshoot-common-errors-issues
var transientSQLServer = setOf(
	40197,               // the service failed while it processed the request
	40501,               // the service is busy
	40613,               // the database is not available now
	49918, 49919, 49920, // not enough resources, too many creations or updates, too many operations
	10928, 10929, // the limit of workers or sessions is reached
)
