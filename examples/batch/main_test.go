package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// read returns the records of a file of dead letters without its header.
func read(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"id", "account", "cents", "line", "why"}, records[0])
	return records[1:]
}

func files(t *testing.T, rows int) task {
	t.Helper()
	folder := t.TempDir()
	task := task{file: filepath.Join(folder, "payments.csv"), dead: filepath.Join(folder, "dead.csv")}
	require.NoError(t, makeFile(task.file, rows))
	return task
}

// opened opens the files of a task.
func (k task) opened(t *testing.T) (*rowReader, *letters) {
	t.Helper()
	file, err := os.Open(k.file)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	dead, err := newLetters(k.dead)
	require.NoError(t, err)
	return newRowReader(file, k.from), dead
}

func bankOf(t *testing.T) *bank {
	t.Helper()
	b := newBank()
	t.Cleanup(b.close)
	return b
}

// The file is larger than the memory allowed, and what is in use is less; every row is sent once, or a
// dead letter that says why, in the order of the file.
func TestLargerThanMemory(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memoryLimit))
	const rows = 420_000
	task, b := files(t, rows), bankOf(t)
	r, err := loadFile(t.Context(), task, b.url)
	require.NoError(t, err)
	assert.Greater(t, r.size, int64(memoryLimit))
	assert.Less(t, r.memory, uint64(memoryLimit))
	assert.Positive(t, r.memory)

	assert.Equal(t, rows, r.sent+r.dead)
	assert.Equal(t, b.payments(), r.sent)
	assert.Equal(t, 3*rows/invalid+rows/unknown+(rows-5)/locked+1, r.dead)
	assert.Positive(t, r.retries)
	dead := read(t, task.dead)
	assert.Len(t, dead, r.dead)
	before := 0
	for _, d := range dead {
		line, err := strconv.Atoi(d[3])
		require.NoError(t, err)
		require.Greater(t, line, before)
		before = line
		switch id := line - 1; {
		case id%invalid == 101:
			assert.Regexp(t, `^\d+,"DE,\d+,a remark`, d[0])
			assert.Contains(t, d[4], `"`)
		case id%invalid == 202:
			assert.Equal(t, []string{strconv.Itoa(id), "a lot", `cents: "a lot" is not a number above 0`}, []string{d[0], d[2], d[4]})
		case id%invalid == 303:
			assert.Equal(t, []string{strconv.Itoa(id), "1 fields, want id, account, cents"}, []string{d[0], d[4]})
		case id%unknown == 77:
			assert.Equal(t, "unknown account", d[4])
		case id%locked == 5:
			assert.Equal(t, errTries.Error(), d[4])
		default:
			t.Errorf("%v is not at fault", d)
		}
	}
}

// A bank that is down, or refuses the client, makes no dead letters: the run ends, and goes on where it
// says once the bank is back. Nothing is missing then, and no dead letter there twice.
func TestOutage(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusUnauthorized} {
		task, b := files(t, 20_000), bankOf(t)
		rows, dead := task.opened(t)
		chunks := 0
		first, err := load(t.Context(), rows, b.url, dead, func(int64) {
			if chunks++; chunks == 10 {
				b.outage.Store(int64(status))
			}
		})
		require.NoError(t, dead.close())
		require.ErrorContains(t, err, http.StatusText(status))
		_, number, _ := strings.Cut(err.Error(), "-from ")
		number, _, _ = strings.Cut(number, ":")
		task.from, err = strconv.Atoi(number)
		require.NoError(t, err)
		assert.Equal(t, first.sent+first.dead, task.from-2, "all before it is settled")
		b.outage.Store(0)
		second, err := loadFile(t.Context(), task, b.url)
		require.NoError(t, err)
		assert.Equal(t, 20_000, first.sent+first.dead+second.sent+second.dead)
		assert.Equal(t, b.payments(), first.sent+second.sent, "no payment was made twice, none is missing")
		assert.Len(t, read(t, task.dead), first.dead+second.dead)
		assert.Equal(t, 2*3+4+1, first.dead+second.dead, "an outage makes no dead letters")
	}
}

// Dead letters that were mended are sent as they are.
func TestMended(t *testing.T) {
	t.Parallel()
	b := bankOf(t)
	folder := t.TempDir()
	rest := filepath.Join(folder, "rest.csv")
	require.NoError(t, os.WriteFile(rest, []byte("id,account,cents,line,why\n7,DE7,100,12,\"cents: \"\"a lot\"\"\"\n"), 0o600))
	r, err := loadFile(t.Context(), task{file: rest, dead: filepath.Join(folder, "dead.csv")}, b.url)
	require.NoError(t, err)
	assert.Equal(t, 1, r.sent)
	assert.Equal(t, 1, b.payments())
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	task, b := files(t, 20_000), bankOf(t)
	rows, dead := task.opened(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := load(ctx, rows, b.url, dead, func(int64) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "go on with -from "+strconv.Itoa(r.sent+r.dead+2)+": ")
	assert.Less(t, r.sent, 20_000)
	require.NoError(t, dead.close())
}

// A run that is to go on behind the end of the file says so: it was given another file, or a wrong number.
func TestBehindTheEnd(t *testing.T) {
	t.Parallel()
	task, b := files(t, 10), bankOf(t)
	for from, want := range map[int]string{11: "", 12: "", 13: "-from 13: the file has only 11 lines"} {
		task.from = from
		_, err := loadFile(t.Context(), task, b.url)
		if want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want)
		}
	}
}

// Of a chunk that the bank took in part the rest alone is sent again.
func TestRestAlone(t *testing.T) {
	t.Parallel()
	b := bankOf(t)
	s := &sender{url: b.url}
	c := &chunk{pending: []row{{ID: 1}, {ID: busy + 13}, {ID: unknown + 77}, {ID: 2}}}
	_, err := s.send(t.Context(), c)
	require.ErrorIs(t, err, errUndone)
	assert.Equal(t, []row{{ID: busy + 13, again: 1}}, c.pending)
	assert.Equal(t, []letter{{row{ID: unknown + 77}, "unknown account"}}, c.refused)
	assert.Equal(t, 2, c.sent)
	_, err = s.send(t.Context(), c)
	require.NoError(t, err)
	assert.Empty(t, c.pending)
	assert.Equal(t, 3, c.sent)
	s.client.CloseIdleConnections()
}

// Neither a line without an end nor a quotation mark has more than a line read into memory.
func TestRowReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3*longest)
	s := newRowReader(strings.NewReader("id,account,cents\n1,a,1\n"+long+"\n\n2,\"b\nc\",2\r\n3,d,3"), 0)
	var got []*chunk
	s.chunks(func(c *chunk) bool { got = append(got, c); return true })
	require.NoError(t, s.err)
	require.Len(t, got, 1)
	c := got[0]
	require.Len(t, c.pending, 2)
	assert.Equal(t, row{line: 2, fields: []string{"1", "a", "1"}, ID: 1, Account: "a", Cents: 1}, c.pending[0])
	assert.Equal(t, 7, c.pending[1].line)
	require.Len(t, c.refused, 3)
	assert.Equal(t, errLong.Error(), c.refused[0].why)
	assert.Len(t, c.refused[0].fields[0], 100)
	assert.Equal(t, 5, c.refused[1].line)
	assert.Equal(t, 6, c.refused[2].line)
	assert.Equal(t, 7, c.last)
	assert.EqualValues(t, 17+6+len(long)+2+len("2,\"b\nc\",2\r\n3,d,3"), c.end)

	bad := errors.New("the disk is gone")
	s = newRowReader(&failing{strings.NewReader("id,account,cents\n1,a,1\n"), bad}, 0)
	n := 0
	s.chunks(func(*chunk) bool { n++; return true })
	require.ErrorIs(t, s.err, bad)
	require.EqualError(t, s.err, "line 3: the disk is gone")
	assert.Equal(t, 1, n)
}

type failing struct {
	r   *strings.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	if f.r.Len() == 0 {
		return 0, f.err
	}
	return f.r.Read(b)
}

func TestRun(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	limit := debug.SetMemoryLimit(-1)
	require.NoError(t, run(t.Context(), &out, task{rows: 2_000}))
	assert.Regexp(t, `^2000 rows of 0 MB: 1995 sent, 5 dead letters\n\d+ requests, \d+ of them retries; the bank has 1995 payments\n`, out.String())
	assert.Equal(t, limit, debug.SetMemoryLimit(-1))

	// The dead letters of somebody's rows are kept, also when nobody said where.
	given := files(t, 2_000)
	require.NoError(t, run(t.Context(), &out, task{file: given.file}))
	assert.Len(t, read(t, given.file+".dead"), 5)

	require.ErrorIs(t, run(t.Context(), &out, task{file: filepath.Join(t.TempDir(), "none.csv")}), os.ErrNotExist)
}
