package retryriver_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ledger is a file that a worker process appends to, a line at a time: what is written stays
// when the process is killed.
type ledger struct{ file *os.File }

func openLedger(folder string) (*ledger, error) {
	f, err := os.OpenFile(filepath.Join(folder, fmt.Sprint(os.Getpid())), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &ledger{f}, err
}

// write notes that an attempt of a job began, or how it ended.
func (l *ledger) write(what string, id int64, attempt int) {
	_, err := fmt.Fprintf(l.file, "%s %d %d %d\n", what, id, attempt, time.Now().UnixNano())
	if err != nil {
		panic(err)
	}
}

// run is one run of the worker on a job. It has no end if the process was killed in it.
type run struct {
	begin, end time.Time
	outcome    string // ok, failed or permanent, as it was told to River
}

// runs are those of a job, by River's number of the attempt. A number has one run: River gives each
// fetch another.
type runs map[int]*run

// readLedgers returns the runs of every job.
func readLedgers(t *testing.T, folder string) map[int64]runs {
	t.Helper()
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	jobs := map[int64]runs{}
	for _, file := range files {
		f, err := os.Open(filepath.Join(folder, file.Name()))
		require.NoError(t, err)
		for lines := bufio.NewScanner(f); lines.Scan(); {
			readLine(t, jobs, lines.Text())
		}
		require.NoError(t, f.Close())
	}
	return jobs
}

func readLine(t *testing.T, jobs map[int64]runs, line string) {
	t.Helper()
	var what string
	var id, at int64
	var attempt int
	_, err := fmt.Sscanf(line, "%s %d %d %d", &what, &id, &attempt, &at)
	require.NoError(t, err, line)
	if jobs[id] == nil {
		jobs[id] = runs{}
	}
	if what == "begin" {
		require.Nil(t, jobs[id][attempt], "attempt %d of job %d runs twice", attempt, id)
		jobs[id][attempt] = &run{begin: time.Unix(0, at)}
		return
	}
	jobs[id][attempt].end, jobs[id][attempt].outcome = time.Unix(0, at), what
}
