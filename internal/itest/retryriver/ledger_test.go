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

// ledger is a file to which a worker process appends. Each line is a single write, so what the process
// has written stays when it is killed.
type ledger struct{ file *os.File }

func openLedger(folder string) (*ledger, error) {
	f, err := os.OpenFile(filepath.Join(folder, fmt.Sprint(os.Getpid())), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &ledger{f}, err
}

// write writes that an attempt of a job began, or how it ended.
func (l *ledger) write(what string, id int64, attempt int) {
	_, err := fmt.Fprintf(l.file, "%s %d %d %d\n", what, id, attempt, time.Now().UnixNano())
	if err != nil {
		panic(err)
	}
}

// run is one run of the worker on a job. It has no end if its process was killed.
type run struct {
	begin, end time.Time
	outcome    string // ok, failed or permanent: what the worker returned to River
}

// jobRuns are the runs of a job by River's number of the attempt. A number has at most one run, because
// River counts the number up each time it fetches the job.
type jobRuns map[int]*run

// readLedgers returns the runs of every job.
func readLedgers(t *testing.T, folder string) map[int64]jobRuns {
	t.Helper()
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	jobs := map[int64]jobRuns{}
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

func readLine(t *testing.T, jobs map[int64]jobRuns, line string) {
	t.Helper()
	var what string
	var id, at int64
	var attempt int
	_, err := fmt.Sscanf(line, "%s %d %d %d", &what, &id, &attempt, &at)
	require.NoError(t, err, line)
	if jobs[id] == nil {
		jobs[id] = jobRuns{}
	}
	if what == "begin" {
		require.Nil(t, jobs[id][attempt], "attempt %d of job %d runs twice", attempt, id)
		jobs[id][attempt] = &run{begin: time.Unix(0, at)}
		return
	}
	jobs[id][attempt].end, jobs[id][attempt].outcome = time.Unix(0, at), what
}
