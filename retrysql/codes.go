package retrysql

import (
	"reflect"
	"strings"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// code is what a database calls an error.
type code struct {
	kind   codeKind
	state  string // of sqlState, and of mysqlNumber if the server sent one: five characters
	number int    // of the others
}

type codeKind int

const (
	noCode      codeKind = iota
	sqlState             // PostgreSQL and others that have the standard's codes
	mysqlNumber          // MySQL and MariaDB
	sqliteCode           // extended, its low byte is the primary one
	mssqlNumber          // SQL Server
)

const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteConstraint = 19
)

// codeOf returns the first code in the tree of err.
func codeOf(err error) (found code) {
	has(err, func(err error) bool {
		found = read(err)
		return found.kind != noCode
	})
	return found
}

// has reports whether an error in the tree of err matches. A nil pointer is asked nothing.
func has(err error, match func(error) bool) (found bool) {
	errtree.Walk(err, func(node error) bool {
		found = !errtree.IsNil(node) && errtree.Safe(func() bool { return match(node) })
		return !found
	})
	return found
}

// textOf is the text of err as it is, "" if there is none to be had.
func textOf(err error) string { return errtree.Safe(err.Error) }

// read returns the code of err itself, by what the drivers' types have in common or show to
// reflection, so that no driver is imported.
func read(err error) code {
	switch e := err.(type) {
	case interface{ SQLState() string }: // pgx, lib/pq
		if state := e.SQLState(); len(state) == 5 {
			return code{kind: sqlState, state: state}
		}
		return code{}
	case interface{ SQLErrorNumber() int32 }: // go-mssqldb
		return code{kind: mssqlNumber, number: int(e.SQLErrorNumber())}
	case interface{ Code() int }: // modernc.org/sqlite
		if fromSQLite(err) {
			return code{kind: sqliteCode, number: e.Code()}
		}
		return code{}
	}
	return readFields(err)
}

// fromSQLite tells SQLite's codes from those of others with a method Code: SAP HANA's 261 is an
// invalid index name.
func fromSQLite(err error) bool {
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

// readFields is read for the types that have no methods for their codes, or have codes of types
// of their own.
func readFields(err error) code {
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch t := v.Type(); {
	case t.Name() == "MySQLError" && v.Kind() == reflect.Struct: // go-sql-driver/mysql
		if n := v.FieldByName("Number"); n.Kind() == reflect.Uint16 {
			return code{kind: mysqlNumber, number: int(n.Uint()), state: spelled(v.FieldByName("SQLState"))}
		}
	case !strings.Contains(t.PkgPath(), "sqlite3"):
	case t.Name() == "Error" && v.Kind() == reflect.Struct: // mattn/go-sqlite3, and ncruces/go-sqlite3's has code alone
		return largest(v.FieldByName("Code"), v.FieldByName("ExtendedCode"), v.FieldByName("code"))
	default: // the codes of both are errors as well
		return largest(v)
	}
	return code{}
}

// largest returns the largest of SQLite's codes: an extended one has the primary one in its low
// byte.
func largest(numbers ...reflect.Value) (c code) {
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

// spelled is what an array of bytes spells, empty if it is no such array or has not been set.
func spelled(v reflect.Value) string {
	if v.Kind() != reflect.Array || v.Type().Elem().Kind() != reflect.Uint8 {
		return ""
	}
	b := make([]byte, v.Len())
	reflect.Copy(reflect.ValueOf(b), v)
	return strings.TrimRight(string(b), "\x00")
}
