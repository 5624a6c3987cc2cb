package retrysql

import (
	"reflect"
	"strings"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// code is a database's code for an error.
type code struct {
	kind   codeKind
	state  string // five characters; for sqlState, and for mysqlNumber if the server sent one
	number int    // for the other kinds
}

type codeKind int

const (
	noCode      codeKind = iota
	sqlState             // the SQL standard's codes: PostgreSQL and others
	mysqlNumber          // MySQL and MariaDB
	sqliteCode           // an extended code, whose low byte is the primary code
	mssqlNumber          // SQL Server
)

const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteConstraint = 19
)

// codeOf returns the first code in the tree of err.
func codeOf(err error) (found code) {
	anyInTree(err, func(err error) bool {
		found = ownCode(err)
		return found.kind != noCode
	})
	return found
}

// anyInTree reports whether an error in the tree of err matches. It skips nil pointers.
func anyInTree(err error, match func(error) bool) (found bool) {
	errtree.Walk(err, func(node error) bool {
		found = !errtree.IsNil(node) && errtree.Safe(func() bool { return match(node) })
		return !found
	})
	return found
}

// textOf returns the text of err, or "" if its Error method panics.
func textOf(err error) string { return errtree.Safe(err.Error) }

// ownCode returns the code of err itself. It uses the methods and fields of the drivers' types, so
// that no driver is imported.
func ownCode(err error) code {
	switch e := err.(type) {
	case interface{ SQLState() string }: // pgx, lib/pq
		if state := e.SQLState(); len(state) == 5 {
			return code{kind: sqlState, state: state}
		}
		return code{}
	case interface{ SQLErrorNumber() int32 }: // go-mssqldb
		return code{kind: mssqlNumber, number: int(e.SQLErrorNumber())}
	case interface{ Code() int }: // modernc.org/sqlite
		if isSQLite(err) {
			return code{kind: sqliteCode, number: e.Code()}
		}
		return code{}
	}
	return codeFromFields(err)
}

// isSQLite reports whether an error with a method Code comes from SQLite. Other drivers have that
// method too: SAP HANA's 261 is an invalid index name.
func isSQLite(err error) bool {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	text := textOf(err)
	for _, text := range []string{t.PkgPath(), t.Name(), text} {
		if strings.Contains(strings.ToLower(text), "sqlite") {
			return true
		}
	}
	return strings.Contains(text, "locked")
}

// codeFromFields is ownCode for types without a method for the code, or with a code of the
// driver's own type.
func codeFromFields(err error) code {
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch t := v.Type(); {
	case t.Name() == "MySQLError" && v.Kind() == reflect.Struct: // go-sql-driver/mysql
		if n := v.FieldByName("Number"); n.Kind() == reflect.Uint16 {
			return code{kind: mysqlNumber, number: int(n.Uint()), state: stringOf(v.FieldByName("SQLState"))}
		}
	case !strings.Contains(t.PkgPath(), "sqlite3"):
	case t.Name() == "Error" && v.Kind() == reflect.Struct: // mattn/go-sqlite3; ncruces/go-sqlite3 has code alone
		return largestSQLiteCode(v.FieldByName("Code"), v.FieldByName("ExtendedCode"), v.FieldByName("code"))
	default: // the codes of both drivers are errors themselves
		return largestSQLiteCode(v)
	}
	return code{}
}

// largestSQLiteCode returns the largest of the numbers. An extended code is larger than its
// primary code, which is its low byte.
func largestSQLiteCode(numbers ...reflect.Value) (c code) {
	for _, v := range numbers {
		var n int
		switch {
		case !v.IsValid():
			continue
		case v.CanInt():
			n = int(v.Int())
		case v.CanUint():
			n = int(v.Uint())
		default:
			continue
		}
		c = code{kind: sqliteCode, number: max(c.number, n)}
	}
	return c
}

// stringOf returns an array of bytes as a string. The result is empty if v is no such array or is
// not set.
func stringOf(v reflect.Value) string {
	if v.Kind() != reflect.Array || v.Type().Elem().Kind() != reflect.Uint8 {
		return ""
	}
	b := make([]byte, v.Len())
	reflect.Copy(reflect.ValueOf(b), v)
	return strings.TrimRight(string(b), "\x00")
}
