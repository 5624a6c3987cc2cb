package cut_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/cut"
	"github.com/seed-205ff063/retry/internal/itest/servers"
)

func TestMain(m *testing.M) {
	_ = mysql.SetLogger(&mysql.NopLogger{}) // connections break off here
	m.Run()
}

// target is a driver that is cut off from its server.
type target struct {
	name, driver string
	options      string // added to the DSN
	prepares     bool   // statements with arguments, before it executes them
	protocol     cut.Protocol
	start        func(t testing.TB, settings ...string) *servers.Server
	insert       string // of a number
	others       string // counts the connections of others
}

func postgres(name, driver, options string, prepares bool) target {
	return target{
		name, driver, options, prepares, cut.Postgres, servers.Postgres,
		"INSERT INTO n VALUES ($1)",
		"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
	}
}

func mariadb(name, options string, prepares bool) target {
	return target{
		name, "mysql", options, prepares, cut.MySQL, servers.MariaDB,
		"INSERT INTO n VALUES (?)",
		"SELECT count(*) FROM information_schema.processlist WHERE user = 'root' AND id <> connection_id()",
	}
}

var targets = []target{
	postgres("pgx", "pgx", "", true),
	postgres("pgx, simple protocol", "pgx", "&default_query_exec_mode=simple_protocol", false),
	postgres("pgx, at once", "pgx", "&default_query_exec_mode=exec", false),
	postgres("pgx, encryption preferred", "pgx", "&sslmode=prefer", true),
	postgres("pq", "postgres", "", true),
	postgres("pq, at once", "postgres", "&binary_parameters=yes", false),
	mariadb("mysql", "", true),
	mariadb("mysql, interpolated", "?interpolateParams=true", false),
}

// rig is a target with a server that has an empty table, and a proxy before it.
type rig struct {
	target
	*cut.Proxy
	dsn    string // by the proxy
	direct *sql.DB
}

// TestDrivers runs all that follows, of one target after the other on a server of theirs.
func TestDrivers(t *testing.T) {
	t.Parallel()
	for _, protocol := range []cut.Protocol{cut.Postgres, cut.MySQL} {
		t.Run(protocol.String(), func(t *testing.T) {
			t.Parallel()
			var s *servers.Server
			for _, target := range targets {
				if target.protocol.String() != protocol.String() {
					continue
				}
				if s == nil {
					s = target.start(t)
				}
				for _, test := range []struct {
					name string
					run  func(t *testing.T, r *rig)
				}{
					{"connect", connect},
					{"statement", statement},
					{"transaction", transaction},
					{"begin", begin},
					{"pool", pool},
					{"copy", copies},
					{"hold", hold},
					{"hold with a deadline", holdWithDeadline},
					{"close all", closeAll},
					{"random", random},
				} {
					t.Run(target.name+"/"+test.name, func(t *testing.T) { test.run(t, newRig(t, target, s)) })
				}
			}
		})
	}
}

func newRig(t *testing.T, target target, s *servers.Server) *rig {
	t.Helper()
	r := &rig{target: target, Proxy: cut.New(t, s.Addr, target.protocol)}
	r.dsn = s.DSN(r.Addr) + target.options
	r.direct = open(t, target.driver, s.DSN(""))
	r.direct.SetMaxOpenConns(1)
	for _, text := range []string{"DROP TABLE IF EXISTS n", "CREATE TABLE n (i int)"} {
		_, err := r.direct.Exec(text)
		require.NoError(t, err)
	}
	return r
}

func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// conn returns a connection by the proxy. It is a single one so that database/sql has no other
// to try again on.
func (r *rig) conn(t *testing.T) *sql.Conn {
	t.Helper()
	db := open(t, r.driver, r.dsn)
	db.SetMaxIdleConns(0)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	t.Cleanup(r.CloseAll) // before that, which waits for what is held
	return conn
}

// settled returns once nobody else is connected: what was going to happen has happened.
func (r *rig) settled(t *testing.T) {
	t.Helper()
	assert.EventuallyWithT(t, func(t *assert.CollectT) {
		var n int
		require.NoError(t, r.direct.QueryRow(r.others).Scan(&n))
		assert.Zero(t, n)
	}, 10*time.Second, time.Millisecond)
}

// has returns how often the number is in the table.
func (r *rig) has(t *testing.T, i int) int {
	t.Helper()
	r.settled(t)
	var n int
	require.NoError(t, r.direct.QueryRow(fmt.Sprintf("SELECT count(*) FROM n WHERE i = %d", i)).Scan(&n))
	return n
}

// shown is what there is to know of an error.
func shown(err error) string {
	text := fmt.Sprintf("%T %v", err, err)
	if inner := errors.Unwrap(err); inner != nil {
		text += "\n\t← " + shown(inner)
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, inner := range many.Unwrap() {
			text += "\n\t+ " + strings.ReplaceAll(shown(inner), "\n", "\n\t")
		}
	}
	if errors.Is(err, driver.ErrBadConn) {
		text += " (driver.ErrBadConn)"
	}
	if pgconn.SafeToRetry(err) {
		text += " (pgconn.SafeToRetry)"
	}
	return text
}

// ends are what a cut is by turns.
var ends = []string{"in order", "reset"}

func connect(t *testing.T, r *rig) {
	db := open(t, r.driver, r.dsn)
	r.CutNext(cut.BeforeFirstByte, 100)
	for _, end := range ends {
		_, err := db.Driver().Open(r.dsn)
		require.Error(t, err)
		t.Logf("%s, %s: %s", cut.BeforeFirstByte, end, shown(err))
	}
	err := db.PingContext(t.Context())
	require.Error(t, err)
	t.Logf("the same by database/sql: %s", shown(err))
	assert.GreaterOrEqual(t, r.Cuts()[cut.BeforeFirstByte], 3)
	r.settled(t)

	r.CutNext(cut.BeforeFirstByte, 0)
	require.NoError(t, db.PingContext(t.Context()))
}

// statement cuts statements that commit themselves.
func statement(t *testing.T, r *rig) {
	i := 0
	for _, test := range []struct {
		at        cut.Point
		arguments bool // the statement has them, and is prepared
		want      int  // rows
	}{
		{cut.BeforeStatement, false, 0},
		{cut.BeforeStatement, true, 0},
		{cut.MidStatement, false, 0},
		{cut.MidStatement, true, 0},
		{cut.AfterStatement, false, 1},
		{cut.AfterStatement, true, 1},
		{cut.AfterPrepare, true, 0},
	} {
		if test.at == cut.AfterPrepare && !r.prepares {
			continue
		}
		for _, end := range ends {
			i++
			conn := r.conn(t)
			before := r.Cuts()[test.at]
			r.CutNext(test.at, 1)
			var err error
			if test.arguments {
				_, err = conn.ExecContext(t.Context(), r.insert, i)
			} else {
				_, err = conn.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO n VALUES (%d)", i))
			}
			require.Error(t, err, test.at)
			t.Logf("%s, %s, with arguments %v: %s", test.at, end, test.arguments, shown(err))
			assert.Equal(t, before+1, r.Cuts()[test.at])
			assert.Equal(t, test.want, r.has(t, i), test.at)

			require.Error(t, conn.PingContext(t.Context()), "the connection is still good")
		}
	}
	assert.Len(t, r.Cuts(), map[bool]int{true: 4, false: 3}[r.prepares])
}

// transaction cuts transactions.
func transaction(t *testing.T, r *rig) {
	i := 0
	for _, test := range []struct {
		at   cut.Point
		want int // rows
	}{
		{cut.BeforeStatement, 0},
		{cut.MidStatement, 0},
		{cut.AfterStatement, 0},
		{cut.BeforeCommit, 0},
		{cut.AfterCommit, 1},
	} {
		for _, end := range ends {
			i++
			tx, err := r.conn(t).BeginTx(t.Context(), nil)
			require.NoError(t, err)
			r.CutNext(test.at, 1)
			_, err = tx.ExecContext(t.Context(), r.insert, i)
			if test.at == cut.BeforeCommit || test.at == cut.AfterCommit {
				require.NoError(t, err)
				err = tx.Commit()
			}
			require.Error(t, err, test.at)
			t.Logf("%s, %s: %s", test.at, end, shown(err))
			if err := tx.Rollback(); err != nil {
				t.Logf("and then Rollback: %s", shown(err))
			}
			assert.Equal(t, test.want, r.has(t, i), test.at)
		}
		assert.Equal(t, 2, r.Cuts()[test.at])
	}

	// And without a cut.
	tx, err := r.conn(t).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), r.insert, 0)
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
}

// begin holds that BEGIN is a statement.
func begin(t *testing.T, r *rig) {
	for _, at := range []cut.Point{cut.BeforeStatement, cut.AfterStatement} {
		for _, end := range ends {
			conn := r.conn(t)
			r.CutNext(at, 1)
			_, err := conn.BeginTx(t.Context(), nil)
			require.Error(t, err)
			t.Logf("%s, %s: %s", at, end, shown(err))
		}
	}
}

// hold has COMMIT executed and its reply not come until the proxy is told to give up.
func hold(t *testing.T, r *rig) {
	for i, test := range []struct {
		at   cut.Point
		want int
	}{{cut.BeforeCommit, 0}, {cut.AfterCommit, 1}} {
		tx, err := r.conn(t).BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(t.Context(), r.insert, i)
		require.NoError(t, err)
		r.HoldNext(test.at, 1)
		done := make(chan error, 1)
		go func() { done <- tx.Commit() }()
		count := func() (n int) {
			require.NoError(t, r.direct.QueryRow("SELECT count(*) FROM n").Scan(&n))
			return n
		}
		require.Eventually(t, func() bool { return r.Cuts()[test.at] == 1 && count() == test.want }, 10*time.Second, time.Millisecond)
		select {
		case err := <-done:
			require.Fail(t, "it was not held", "%v", err)
		case <-time.After(20 * time.Millisecond):
		}
		r.CloseAll()
		require.Error(t, <-done)
		assert.Equal(t, test.want, r.has(t, i))
	}
}

// holdWithDeadline has a client's deadline pass while its connection is held. Some drivers give
// up then; pq asks the server to stop and goes on to wait for it, and so needs CloseAll.
func holdWithDeadline(t *testing.T, r *rig) {
	conn := r.conn(t)
	r.HoldNext(cut.AfterStatement, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := conn.ExecContext(ctx, r.insert, 1)
		done <- err
	}()
	select {
	case err := <-done:
		require.Error(t, err)
		t.Logf("it gave up: %s", shown(err))
		r.CloseAll()
	case <-time.After(500 * time.Millisecond):
		r.CloseAll()
		err := <-done
		require.Error(t, err)
		t.Logf("it had to be cut: %s", shown(err))
	}
	require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	assert.Equal(t, 1, r.has(t, 1))
}

func closeAll(t *testing.T, r *rig) {
	a, b := r.conn(t), r.conn(t)
	r.CloseAll()
	r.settled(t)
	_, err := a.ExecContext(t.Context(), r.insert, 1)
	require.Error(t, err)
	t.Logf("an idle connection that was reset: %s", shown(err))
	_, err = b.BeginTx(t.Context(), nil)
	require.Error(t, err)
	assert.Empty(t, r.Cuts())
	require.NoError(t, r.conn(t).PingContext(t.Context()))
}

// TestRestart has the server end and come back, which ends connections at once.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, target := range targets {
		if target.options != "" {
			continue
		}
		t.Run(target.name, func(t *testing.T) {
			t.Parallel()
			s := target.start(t)
			r := newRig(t, target, s)
			tx, err := r.conn(t).BeginTx(t.Context(), nil)
			require.NoError(t, err)
			s.Restart(t)
			_, err = tx.ExecContext(t.Context(), r.insert, 1)
			require.Error(t, err)
			t.Logf("after a restart: %s", shown(err))
			require.NoError(t, r.conn(t).PingContext(t.Context()))
		})
	}
}

// everywhere reports whether connections were cut at all the points that this target passes.
func (r *rig) everywhere() bool {
	cuts := r.Cuts()
	for _, at := range cut.Points {
		if cuts[at] == 0 && (at != cut.AfterPrepare || r.prepares) {
			return false
		}
	}
	return true
}

// random has transactions cut at random: what their callers were told has happened is there,
// and what did not reach COMMIT is not.
func random(t *testing.T, r *rig) {
	db := open(t, r.driver, r.dsn)
	r.Random(0.05, 1)
	var mu sync.Mutex
	var committed, unknown []int
	var wg sync.WaitGroup
	for client := range 4 {
		wg.Go(func() {
			for i := client; i < 5000 && !r.everywhere(); i += 4 {
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					continue
				}
				if _, err := tx.ExecContext(t.Context(), r.insert, i); err != nil {
					_ = tx.Rollback()
					continue
				}
				err = tx.Commit()
				mu.Lock()
				if err == nil {
					committed = append(committed, i)
				} else {
					unknown = append(unknown, i)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r.Random(0, 0)
	require.NoError(t, db.PingContext(t.Context()))
	require.NoError(t, db.Close())
	assert.NotEmpty(t, committed)
	cuts := r.Cuts()
	t.Log(cuts)
	assert.True(t, r.everywhere())
	assert.Equal(t, len(unknown), cuts[cut.BeforeCommit]+cuts[cut.AfterCommit])
	r.settled(t)
	for _, i := range committed {
		assert.Equal(t, 1, r.has(t, i))
	}
	var total int
	require.NoError(t, r.direct.QueryRow("SELECT count(*) FROM n").Scan(&total))
	assert.Equal(t, len(committed)+cuts[cut.AfterCommit], total)
}

// pool loses the reply to a statement on a connection of a pool, which tries again by itself if
// the driver says that nothing was executed. It logs how often the statement was executed then:
// whether a driver is right to say so is not for this package to hold.
func pool(t *testing.T, r *rig) {
	db := open(t, r.driver, r.dsn)
	i := 0
	for _, arguments := range []bool{false, true} {
		for _, end := range ends {
			i++
			r.CutNext(cut.AfterStatement, 1)
			var err error
			if arguments {
				_, err = db.ExecContext(t.Context(), r.insert, i)
			} else {
				_, err = db.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO n VALUES (%d)", i))
			}
			db.SetMaxIdleConns(-1) // so that it can settle
			n := r.has(t, i)
			db.SetMaxIdleConns(2)
			assert.Positive(t, n)
			t.Logf("%s, with arguments %v: executed %d times, and the error is %v", end, arguments, n, err)
		}
	}
	assert.Len(t, r.Cuts(), 1)
	assert.Equal(t, 4, r.Cuts()[cut.AfterStatement])
}

// copies holds that COPY, which the server answers by asking for what to copy, is not waited for.
func copies(t *testing.T, r *rig) {
	if r.driver != "postgres" {
		t.Skip("pq sends it as it is")
	}
	tx, err := r.conn(t).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	r.CutNext(cut.AfterStatement, 1)
	start := time.Now()
	stmt, err := tx.PrepareContext(t.Context(), "COPY n (i) FROM STDIN")
	if err == nil {
		defer stmt.Close()
	}
	require.Error(t, err)
	assert.Less(t, time.Since(start), 5*time.Second) // others are waited for 10 s
}
