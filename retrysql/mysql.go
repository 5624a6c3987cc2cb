package retrysql

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
)

// After a deadlock MySQL and MariaDB have rolled back the whole transaction, and every later
// statement commits by itself. Each reply of the server carries status flags, and one of them says
// that a transaction is open. go-sql-driver/mysql keeps the flags of the last reply.

const statusInTransaction = 1 // SERVER_STATUS_IN_TRANS

// errEndedByServer says that the server reported no open transaction before InTx ended it.
const errEndedByServer = endedByServerError("the database ended the transaction before fn returned, and each later statement was committed by itself: " +
	"return the first error of a statement, and use no statement that commits")

// endedByServerError matches ErrEnded and has its own text.
type endedByServerError string

func (e endedByServerError) Error() string        { return string(e) }
func (e endedByServerError) Is(target error) bool { return target == ErrEnded }

// inMySQLTransaction reports whether the last reply of a MySQL server said that a transaction is
// open. It reports false for the connection of another driver.
func inMySQLTransaction(conn *sql.Conn) (open bool) {
	if conn == nil {
		return false
	}
	_ = conn.Raw(func(driverConn any) error {
		open = mysqlStatus(driverConn)&statusInTransaction != 0
		return nil
	})
	return open
}

// mysqlStatus returns the status flags of the last reply, or 0 for the connection of another
// driver.
func mysqlStatus(driverConn any) uint64 {
	for {
		wrapper, ok := driverConn.(interface{ Raw() driver.Conn }) // otelsql's connections have it
		if !ok {
			break
		}
		driverConn = wrapper.Raw()
	}
	v := reflect.ValueOf(driverConn)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Type().Elem().Name() != "mysqlConn" {
		return 0
	}
	if flags := v.Elem().FieldByName("status"); flags.CanUint() {
		return flags.Uint()
	}
	return 0
}
