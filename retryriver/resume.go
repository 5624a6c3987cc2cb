package retryriver

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/seed-205ff063/retry"
)

// ErrLost is the error of an attempt whose process died, or that was stuck until River's
// rescuer gave it up. What the attempt was to do may have been done.
var ErrLost = errors.New("retryriver: attempt lost: its process died or did not end it in time")

// past is what is known of a job's earlier attempts.
type past struct {
	last  retry.Attempt // as Policy.Resume reads it
	lost  int           // how many attempts ended without a decision
	began time.Time     // when the first was fetched
}

// recall reads from the row what came before the attempt that the job is in.
func (e *engine) recall(job *rivertype.JobRow) past {
	s, err := readState(job)
	if err == nil && s.Number > 0 && s.Attempt >= job.Attempt {
		s, err = state{}, errors.New("it is of the attempt that begins")
	}
	if err != nil {
		e.log.Warn("retryriver: job state in the metadata cannot be used; the job counts as new",
			slog.String("job", Key(job)), slog.String("error", retry.ErrorText(err)))
	}
	if s.Ended && !givenUp(job, s.Attempt) {
		s.Number = 0 // a new call, after JobRetry or a snooze
	}
	p := past{began: s.Began}
	lost := lostAttempts(job, &s)
	p.lost = len(lost)
	p.last = retry.Attempt{Number: s.Number + p.lost, Delay: s.Delay, Err: lastError(job, p.lost)}
	if p.lost > 0 {
		p.last.Delay = max(job.ScheduledAt.Sub(lost[p.lost-1].At), 0) // what the rescuer was told to wait
	}
	switch at := fetchedAt(job); {
	case p.last.Number == 0:
		p.began, p.last.Err = at, nil
	case p.began.IsZero():
		p.began = e.latestStart(job, lost[0].At)
		fallthrough
	default:
		p.last.Elapsed = max(at.Sub(p.began)-p.last.Delay, 0) // a queue's lateness is time that passed
	}
	return p
}

// lostAttempts returns River's records of the attempts after s that nobody decided on. Without a
// state only those of the rescuer count: the others failed before there was a policy.
func lostAttempts(job *rivertype.JobRow, s *state) (lost []rivertype.AttemptError) {
	for _, a := range job.Errors {
		if a.Attempt > s.Attempt && (s.Version != 0 || rescued(a)) {
			lost = append(lost, a)
		}
	}
	return lost
}

// givenUp reports whether the rescuer had given up the attempt before its end was stored, which then
// changed nothing: the job goes on as if it was lost.
func givenUp(job *rivertype.JobRow, attempt int) (given bool) {
	for _, a := range job.Errors {
		if a.Attempt != attempt {
			continue
		}
		if !rescued(a) {
			return false
		}
		given = true
	}
	return given
}

// rescued reports whether River's rescuer wrote the record.
func rescued(a rivertype.AttemptError) bool {
	return strings.HasPrefix(a.Error, "Stuck job rescued by ")
}

// latestStart is when an attempt began at the latest that the rescuer gave up at the given time.
func (e *engine) latestStart(job *rivertype.JobRow, rescuedAt time.Time) time.Time {
	start := rescuedAt.Add(-e.rescueAfter)
	if start.Before(job.CreatedAt) {
		return job.CreatedAt
	}
	return start
}

// lastError is the error of the last attempt, as far as it is stored.
func lastError(job *rivertype.JobRow, lost int) error {
	switch n := len(job.Errors); {
	case lost > 0:
		return ErrLost
	case n > 0:
		return errors.New(job.Errors[n-1].Error)
	}
	return nil
}

// fetchedAt is when the attempt began, by the database's clock.
func fetchedAt(job *rivertype.JobRow) time.Time {
	if job.AttemptedAt == nil {
		return time.Now()
	}
	return *job.AttemptedAt
}
