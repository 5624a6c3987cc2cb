package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A bank that is down or refuses the client makes no dead letters. The run ends and says where to go on. The
// next run completes it: no row is missing, and no dead letter is there twice.
func TestOutage(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusUnauthorized} {
		o, b := newFiles(t, 20_000), newTestBank(t)
		rows, dead := o.open(t)
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
		o.from, err = strconv.Atoi(number)
		require.NoError(t, err)
		assert.Equal(t, first.sent+first.dead, o.from-2, "all rows before it are settled")
		b.outage.Store(0)
		second, err := loadFile(t.Context(), o, b.url)
		require.NoError(t, err)
		assert.Equal(t, 20_000, first.sent+first.dead+second.sent+second.dead)
		assert.Equal(t, b.payments(), first.sent+second.sent, "no payment was made twice, none is missing")
		assert.Len(t, read(t, o.dead), first.dead+second.dead)
		assert.Equal(t, 2*3+4+1, first.dead+second.dead, "an outage makes no dead letters")
	}
}

// A corrected file of dead letters can be sent as it is.
func TestCorrected(t *testing.T) {
	t.Parallel()
	b := newTestBank(t)
	folder := t.TempDir()
	rest := filepath.Join(folder, "rest.csv")
	require.NoError(t, os.WriteFile(rest, []byte("id,account,cents,line,why\n7,DE7,100,12,\"cents: \"\"a lot\"\"\"\n"), 0o600))
	r, err := loadFile(t.Context(), options{file: rest, dead: filepath.Join(folder, "dead.csv")}, b.url)
	require.NoError(t, err)
	assert.Equal(t, 1, r.sent)
	assert.Equal(t, 1, b.payments())
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	o, b := newFiles(t, 20_000), newTestBank(t)
	rows, dead := o.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := load(ctx, rows, b.url, dead, func(int64) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "go on with -from "+strconv.Itoa(r.sent+r.dead+2)+": ")
	assert.Less(t, r.sent, 20_000)
	require.NoError(t, dead.close())
}

// It is an error to go on after the end of the file: the file or the number is wrong.
func TestFromAfterTheEnd(t *testing.T) {
	t.Parallel()
	o, b := newFiles(t, 10), newTestBank(t)
	for from, want := range map[int]string{11: "", 12: "", 13: "-from 13: the file has only 11 lines"} {
		o.from = from
		_, err := loadFile(t.Context(), o, b.url)
		if want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want)
		}
	}
}
