package main

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain turns the test binary into a worker when a test starts it as one.
func TestMain(m *testing.M) {
	if !isWorker() {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	err := work(ctx)
	stop()
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

// All jobs end although a worker and the server stop, and the mailbox has each mail once.
func TestRun(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	start := time.Now()
	require.NoError(t, run(t.Context(), &out, options{jobs: 200, workers: 2}))
	assert.Less(t, time.Since(start), 30*time.Second)
	text := out.String()
	t.Log(text)
	assert.Contains(t, text, "200 jobs, 2 worker processes, NATS JetStream\n"+
		"a worker was killed and started again\nthe server was restarted\n")
	assert.ElementsMatch(t, []string{"50", "100", "150", "200"}, deadJobs(text, "permanent error", "no such user"))
	assert.ElementsMatch(t, []string{"77", "154"}, deadJobs(text, "attempts exhausted", "mailbox is busy"))
	assert.Contains(t, text, "lost                0\n")
	once := figure(t, text, `done once +(\d+)`)
	twice := figure(t, text, `done twice +(\d+)`)
	dead := figure(t, text, `in the dead letters (\d+)`)
	assert.Equal(t, 200, once+twice+dead)
}

// deadJobs returns the jobs that are dead letters for that reason, as the report says. A job whose worker
// was killed has one attempt more, so it is on another line.
func deadJobs(report, reason, err string) (jobs []string) {
	line := regexp.MustCompile(reason + ` after \d+: ` + err + `: jobs \[(.*)\]`)
	for _, found := range line.FindAllStringSubmatch(report, -1) {
		jobs = append(jobs, strings.Fields(found[1])...)
	}
	return jobs
}

func figure(t *testing.T, text, pattern string) int {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	require.Len(t, found, 2, text)
	n, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	return n
}

// A folder that was kept can be used again.
func TestFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), &out, options{jobs: 30, workers: 1, dir: dir}))
		assert.Contains(t, out.String(), "lost                0\n")
	}
}

func TestBadNumbers(t *testing.T) {
	t.Parallel()
	assert.EqualError(t, run(t.Context(), nil, options{jobs: 0, workers: 3}),
		"-jobs 0, -workers 3: there must be at least 1 of each")
}

// It is an error if jobs are lost or mails are missing.
func TestLost(t *testing.T) {
	t.Parallel()
	r := newReport(3, map[string]int{"1": 1, "3": 2}, 2, nil)
	assert.EqualError(t, r.check(), "jobs [2] are lost")
	assert.EqualError(t, newReport(1, map[string]int{"1": 1}, 2, nil).check(), "the mailbox has 2 mails, not 1")
}
