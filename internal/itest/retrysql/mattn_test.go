//go:build cgo

package retrysql_test

import (
	"path/filepath"

	_ "github.com/mattn/go-sqlite3"
)

// mattn/go-sqlite3 needs a C compiler; modernc.org/sqlite does without.
func init() { //nolint:gochecknoinits // the build tag decides whether it is there
	sqlites["sqlite3"] = func(path string) string {
		return "file:" + filepath.ToSlash(path) + "?_busy_timeout=0"
	}
}
