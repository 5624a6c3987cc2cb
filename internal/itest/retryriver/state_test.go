package retryriver_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

// attempts records the attempts that a policy's hooks see.
type attempts struct {
	mu   sync.Mutex
	list []retry.Attempt
}

func (l *attempts) hook() retry.Option {
	return retry.WithHooks(retry.Hooks{BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.list = append(l.list, a)
		return ctx
	}})
}

func (l *attempts) all() []retry.Attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]retry.Attempt(nil), l.list...)
}

// The job's row carries the policy's state from attempt to attempt: the number of the attempt, the wait,
// and the time since the first attempt by the database's clock. Time by which an attempt is late counts
// as elapsed, but not as waited.
func TestStateGoesOn(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	var seen attempts
	wait := 40 * time.Millisecond
	policy := retry.MustNew(retry.WithMaxAttempts(4), retry.WithBackoff(retry.Sequence(wait, 2*wait, 3*wait)), seen.hook())
	client := q.start(t, retryriver.Config{Policy: policy}, func(context.Context, *river.Job[task]) error { return errBroken },
		func(c *river.Config) { c.FetchPollInterval = 150 * time.Millisecond; c.PollOnly = true })
	job := q.await(t, client, q.insert(t, client, nil).ID, rivertype.JobStateDiscarded)
	all := seen.all()
	require.Len(t, all, 4)
	for i, a := range all {
		assert.Equal(t, i+1, a.Number)
		assert.Equal(t, time.Duration(i)*wait, a.Waited, "attempt %d", i+1)
		if i > 0 {
			assert.GreaterOrEqual(t, a.Start.Sub(all[i-1].Start), a.Waited, "attempt %d", i+1)
			assert.InDelta(t, a.Start.Sub(all[0].Start), a.Elapsed, float64(60*time.Millisecond), "attempt %d", i+1)
			assert.GreaterOrEqual(t, a.Elapsed, all[i-1].Elapsed+a.Waited)
		}
	}
	require.Len(t, job.Errors, 4)
}

// MaxElapsed counts from the first attempt, even if processes are killed meanwhile.
func TestMaxElapsed(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	var runs atomic.Int32
	config := retryriver.Config{Policy: retry.MustNew(retry.WithMaxElapsed(time.Hour), retry.WithBackoff(retry.Constant(time.Minute)))}
	work := func(context.Context, *river.Job[task]) error { runs.Add(1); return errBroken }
	client := q.client(t, config, work)
	id := q.insert(t, client, nil).ID
	q.whileRunning(t, config, work, func() { q.await(t, client, id, rivertype.JobStateRetryable) })
	_, err := q.pool.Exec(t.Context(), `UPDATE river_job SET
		metadata = jsonb_set(metadata, '{retryriver,began}', to_jsonb(now() - interval '2 hours')) WHERE id = $1`, id)
	require.NoError(t, err)
	q.makeDue(t, id)
	var job *rivertype.JobRow
	q.whileRunning(t, config, work, func() { job = q.await(t, client, id, rivertype.JobStateDiscarded) })
	assert.EqualValues(t, 1, runs.Load(), "no attempt follows once the time is up")
	assert.Regexp(t, pattern("retry: time limit reached after 1 attempt in 2h0m0s: broken"), job.Errors[1].Error)
}

// A state that is garbled, or was written by another version or by somebody else, is ignored with a
// warning in the log.
func TestGarbledState(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	rows := map[string]string{
		"text":               `{"retryriver": "none of yours"}`,
		"another version":    `{"retryriver": {"v": 99, "attempt": 0, "number": 3}}`,
		"no version":         `{"retryriver": {"number": 3}}`,
		"of the future":      `{"retryriver": {"v": 1, "attempt": 7, "number": 3, "began": "2026-01-01T00:00:00Z"}}`,
		"of this attempt":    `{"retryriver": {"v": 1, "attempt": 1, "number": 3, "began": "2026-01-01T00:00:00Z"}}`,
		"negative number":    `{"retryriver": {"v": 1, "number": -3, "began": "2026-01-01T00:00:00Z"}}`,
		"negative wait":      `{"retryriver": {"v": 1, "number": 1, "delay": -3, "began": "2026-01-01T00:00:00Z"}}`,
		"no beginning":       `{"retryriver": {"v": 1, "number": 3}}`,
		"a number too large": `{"retryriver": {"v": 1, "number": 99999999999999999999}}`,
		"a list":             `{"retryriver": [1, 2]}`,
	}
	var log syncBuffer
	var seen attempts
	client := q.start(t, retryriver.Config{Policy: quick(2, seen.hook())}, func(_ context.Context, job *river.Job[task]) error {
		if job.Attempt == 1 {
			return errBroken
		}
		return nil
	}, func(c *river.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	for name, metadata := range rows {
		job := q.await(t, client, q.insert(t, client, &river.InsertOpts{Metadata: []byte(metadata)}).ID, rivertype.JobStateCompleted)
		assert.Equal(t, 2, job.Attempt, name)
		assert.Contains(t, log.String(), fmt.Sprintf("job=task:%d", job.ID), name)
	}
	assert.Len(t, seen.all(), 2*len(rows))
	for i, a := range seen.all() {
		assert.Equal(t, i%2+1, a.Number)
	}

	silent := log.String()
	job := q.await(t, client, q.insert(t, client, &river.InsertOpts{Metadata: []byte(`{"mine": 1}`)}).ID, rivertype.JobStateCompleted)
	assert.Equal(t, silent, log.String(), "other metadata is not a garbled state")
	assert.Contains(t, metadata(job), `"mine": 1`, "other metadata stays")
}

// Attempts that failed before the policy was installed do not count.
func TestEarlierErrorsDoNotCount(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	var seen attempts
	config := retryriver.Config{Policy: quick(2, seen.hook())}
	work := func(context.Context, *river.Job[task]) error { return errBroken }
	client := q.client(t, config, work)
	id := q.insert(t, client, nil).ID
	_, err := q.pool.Exec(t.Context(), `UPDATE river_job SET attempt = 3, errors = ARRAY[
		'{"at":"2026-01-01T00:00:00Z","attempt":1,"error":"a","trace":""}', '{"at":"2026-01-01T00:00:00Z","attempt":2,"error":"b","trace":""}',
		'{"at":"2026-01-01T00:00:00Z","attempt":3,"error":"c","trace":""}']::jsonb[] WHERE id = $1`, id)
	require.NoError(t, err)
	q.whileRunning(t, config, work, func() { q.await(t, client, id, rivertype.JobStateDiscarded) })
	assert.Len(t, seen.all(), 2)
}

// A new call starts after a job was snoozed, and after a job that had ended is retried.
func TestNewCalls(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	rows := []struct {
		name  string
		end   error // of the second attempt
		state rivertype.JobState
	}{
		{"snoozed", river.JobSnooze(0), ""},
		{"snoozed, wrapped", fmt.Errorf("later: %w", river.JobSnooze(time.Millisecond)), ""},
		{"exhausted", errBroken, rivertype.JobStateDiscarded},
		{"permanent", retry.Permanent(errBroken), rivertype.JobStateCancelled},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var seen attempts
			var done atomic.Int32
			client := q.start(t, retryriver.Config{Policy: quick(2, seen.hook(), retry.WithHooks(retry.Hooks{Done: func(_ context.Context, o retry.Outcome) {
				done.Add(1)
			}}))}, func(context.Context, *river.Job[task]) error {
				return []error{errBroken, row.end, errBroken, nil}[len(seen.all())-1]
			})
			id := q.insert(t, client, nil).ID
			if row.state != "" {
				q.await(t, client, id, row.state)
				_, err := client.JobRetry(t.Context(), id)
				require.NoError(t, err)
			}
			q.await(t, client, id, rivertype.JobStateCompleted)
			var numbers []int
			for _, a := range seen.all() {
				numbers = append(numbers, a.Number)
			}
			assert.Equal(t, []int{1, 2, 1, 2}, numbers)
			assert.EqualValues(t, 2, done.Load(), "Done hooks")
		})
	}
}

// An attempt that ran long starts a new series.
func TestResetAfter(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	var seen attempts
	policy := quick(2, seen.hook(), retry.WithResetAfter(50*time.Millisecond))
	client := q.start(t, retryriver.Config{Policy: policy}, func(context.Context, *river.Job[task]) error {
		if len(seen.all()) == 2 {
			time.Sleep(60 * time.Millisecond)
		}
		return errBroken
	})
	job := q.await(t, client, q.insert(t, client, nil).ID, rivertype.JobStateDiscarded)
	assert.Equal(t, 3, job.Attempt, "the second attempt is the first of a new series")
	assert.Less(t, seen.all()[2].Elapsed, seen.all()[2].Start.Sub(seen.all()[0].Start))
}

// Each kind of job has its own policy.
func TestKinds(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	config := retryriver.Config{Policy: quick(9), Kinds: map[string]*retry.Policy{"task": quick(3), "other": quick(1)}}
	client := q.start(t, config, func(context.Context, *river.Job[task]) error { return errBroken })
	job := q.await(t, client, q.insert(t, client, nil).ID, rivertype.JobStateDiscarded)
	assert.Equal(t, 3, job.Attempt)
}

// What Redact hides is neither stored nor logged, whether it is in an error or in a panic.
func TestRedact(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	q := newQueue(t)
	rows := map[string]func() error{
		"error":     func() error { return fmt.Errorf("password %s: %w", secret, errBroken) },
		"permanent": func() error { return retry.Permanent(fmt.Errorf("password %s: %w", secret, errBroken)) },
		"cancel":    func() error { return river.JobCancel(fmt.Errorf("password %s: %w", secret, errBroken)) },
		"panic":     func() error { panic("password " + secret) },
		"panic with an error": func() error {
			panic(fmt.Errorf("password %s: %w", secret, errBroken))
		},
	}
	for name, fail := range rows {
		t.Run(name, func(t *testing.T) {
			var log syncBuffer
			logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			config := retryriver.Config{
				Policy: quick(2, retry.WithLogger(logger), retry.WithRetryIf(retry.Is(errBroken))),
				Redact: func(error) string { return "redacted\nerror" },
			}
			client := q.start(t, config, func(context.Context, *river.Job[task]) error { return fail() },
				func(c *river.Config) { c.Logger = logger })
			id := q.insert(t, client, nil).ID
			require.Eventually(t, func() bool {
				job, err := client.JobGet(t.Context(), id)
				require.NoError(t, err)
				return job.FinalizedAt != nil
			}, 10*time.Second, 5*time.Millisecond)
			var row string
			require.NoError(t, q.pool.QueryRow(t.Context(), `SELECT row_to_json(j)::text FROM river_job j WHERE id = $1`, id).Scan(&row))
			assert.NotContains(t, row, secret)
			assert.Contains(t, row, "redacted; error")
			assert.NotContains(t, log.String(), secret)
			assert.Contains(t, log.String(), "redacted; error")
			if strings.HasPrefix(name, "panic") {
				assert.Contains(t, row, "TestRedact", "the stored trace is the panic's")
			}
		})
	}
}

// syncBuffer is a buffer for logs.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
