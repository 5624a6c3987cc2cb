package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
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

// newFiles makes a file of rows, and returns the options with it.
func newFiles(t *testing.T, rows int) options {
	t.Helper()
	folder := t.TempDir()
	o := options{file: filepath.Join(folder, "payments.csv"), dead: filepath.Join(folder, "dead.csv")}
	require.NoError(t, makeFile(o.file, rows))
	return o
}

// open opens the files.
func (o options) open(t *testing.T) (*rowReader, *deadLetters) {
	t.Helper()
	file, err := os.Open(o.file)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	dead, err := newDeadLetters(o.dead)
	require.NoError(t, err)
	return newRowReader(file, o.from), dead
}

func newTestBank(t *testing.T) *bank {
	t.Helper()
	b := newBank()
	t.Cleanup(b.close)
	return b
}

// The file is larger than the memory limit, and the memory in use is less. Each row is sent once or is a dead
// letter with a reason, in the order of the file.
func TestLargerThanMemory(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memoryLimit))
	const rows = 420_000
	o, b := newFiles(t, rows), newTestBank(t)
	r, err := loadFile(t.Context(), o, b.url)
	require.NoError(t, err)
	assert.Greater(t, r.size, int64(memoryLimit))
	assert.Less(t, r.memory, uint64(memoryLimit))
	assert.Positive(t, r.memory)

	assert.Equal(t, rows, r.sent+r.dead)
	assert.Equal(t, b.payments(), r.sent)
	assert.Equal(t, 3*rows/invalid+rows/unknown+(rows-5)/locked+1, r.dead)
	assert.Positive(t, r.retries)
	dead := read(t, o.dead)
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
			assert.Equal(t, errNeverTaken.Error(), d[4])
		default:
			t.Errorf("%v is a valid row", d)
		}
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	limit := debug.SetMemoryLimit(-1)
	require.NoError(t, run(t.Context(), &out, options{rows: 2_000}))
	assert.Regexp(t, `^2000 rows of 0 MB: 1995 sent, 5 dead letters\n\d+ requests, \d+ of them retries; the bank has 1995 payments\n`, out.String())
	assert.Equal(t, limit, debug.SetMemoryLimit(-1))

	// The dead letters of a given file are kept, also without -dead.
	given := newFiles(t, 2_000)
	require.NoError(t, run(t.Context(), &out, options{file: given.file}))
	assert.Len(t, read(t, given.file+".dead"), 5)

	require.ErrorIs(t, run(t.Context(), &out, options{file: filepath.Join(t.TempDir(), "none.csv")}), os.ErrNotExist)
}
