package retrysql

import (
	"reflect"
	"strings"
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

// has reports whether an error in the tree of err matches. A nil pointer is asked nothing: its
// methods may panic.
func has(err error, match func(error) bool) bool {
	for err != nil && !isNil(err) {
		if match(err) {
			return true
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, branch := range e.Unwrap() {
				if has(branch, match) {
					return true
				}
			}
			return false
		default:
			return false
		}
	}
	return false
}

func isNil(err error) bool {
	v := reflect.ValueOf(err)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

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
	for _, text := range []string{t.PkgPath(), t.Name(), err.Error()} {
		if strings.Contains(strings.ToLower(text), "sqlite") {
			return true
		}
	}
	return strings.Contains(err.Error(), "locked")
}

// readFields is read for the types that have no methods for their codes.
func readFields(err error) code {
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return code{}
	}
	switch t := v.Type(); {
	case t.Name() == "MySQLError": // go-sql-driver/mysql
		if n := v.FieldByName("Number"); n.Kind() == reflect.Uint16 {
			return code{kind: mysqlNumber, number: int(n.Uint()), state: text(v.FieldByName("SQLState"))}
		}
	case t.Name() == "Error" && strings.Contains(t.PkgPath(), "sqlite3"): // mattn/go-sqlite3
		primary, extended := v.FieldByName("Code"), v.FieldByName("ExtendedCode")
		if primary.CanInt() && extended.CanInt() {
			return code{kind: sqliteCode, number: int(max(primary.Int(), extended.Int()))}
		}
	}
	return code{}
}

// text is what an array of bytes spells, empty if it is no such array or has not been set.
func text(v reflect.Value) string {
	if v.Kind() != reflect.Array || v.Type().Elem().Kind() != reflect.Uint8 {
		return ""
	}
	b := make([]byte, v.Len())
	reflect.Copy(reflect.ValueOf(b), v)
	return strings.TrimRight(string(b), "\x00")
}
