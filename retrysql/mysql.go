package retrysql

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
)

// After a deadlock MySQL and MariaDB have rolled back the whole transaction, and every statement
// that follows commits by itself. Their replies say so: each carries flags, one of which is for a
// transaction under way. go-sql-driver/mysql keeps the flags of the last reply.

const inTransaction = 1 // SERVER_STATUS_IN_TRANS

// errEndedUnseen is the error of a transaction whose server says that there is none any more.
const errEndedUnseen = ended("the database had ended the transaction before fn was done, and what fn sent after that " +
	"was committed by itself: return the first error of a statement, and use none that commits")

// ended is an ErrEnded with a text of its own.
type ended string

func (e ended) Error() string        { return string(e) }
func (e ended) Is(target error) bool { return target == ErrEnded }

// inMySQLTransaction reports whether the last reply of a MySQL server said that a transaction is
// under way, false for another driver's connection.
func inMySQLTransaction(conn *sql.Conn) (is bool) {
	if conn == nil {
		return false
	}
	_ = conn.Raw(func(driverConn any) error {
		is = mysqlFlags(driverConn)&inTransaction != 0
		return nil
	})
	return is
}

// mysqlFlags returns the flags of the last reply, 0 for another driver's connection.
func mysqlFlags(driverConn any) uint64 {
	for {
		wrapper, ok := driverConn.(interface{ Raw() driver.Conn }) // as otelsql's has
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
