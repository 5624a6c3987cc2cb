package retryriver

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/seed-205ff063/retry"
)

// ErrLost is the error of a lost attempt: its process died, or it ran so long that River's rescuer
// gave it up. Its work may have been done.
var ErrLost = errors.New("retryriver: attempt lost: its process died or did not end it in time")

// progress is what is known of a job's earlier attempts.
type progress struct {
	last  retry.Attempt // for Policy.Resume
	lost  int           // how many attempts were lost after the last decision
	began time.Time     // when the first attempt was fetched
}

// progressOf reads the row for what came before the current attempt of the job.
func (m *middleware) progressOf(job *rivertype.JobRow) progress {
	s, err := readState(job)
	if err == nil && s.Number > 0 && s.Attempt >= job.Attempt {
		s, err = state{}, errors.New("it belongs to the attempt that begins")
	}
	if err != nil {
		m.log.Warn("retryriver: job state in the metadata cannot be used; the job counts as new",
			slog.String("job", Key(job)), slog.String("error", retry.ErrorText(err)))
	}
	if s.Ended && !rescuedBeforeEnd(job, s.Attempt) {
		s.Number = 0 // a new call, after JobRetry or a snooze
	}
	p := progress{began: s.Began}
	lost := lostAttempts(job, &s)
	p.lost = len(lost)
	p.last = retry.Attempt{Number: s.Number + p.lost, Delay: s.Delay, Err: lastError(job, p.lost)}
	if p.lost > 0 {
		p.last.Delay = max(job.ScheduledAt.Sub(lost[p.lost-1].At), 0) // what NextRetry told the rescuer
	}
	switch at := fetchedAt(job); {
	case p.last.Number == 0:
		p.began, p.last.Err = at, nil
	case p.began.IsZero():
		p.began = m.latestStart(job, lost[0].At)
		fallthrough
	default:
		p.last.Elapsed = max(at.Sub(p.began)-p.last.Delay, 0) // includes the time that River was late
	}
	return p
}

// lostAttempts returns River's records of the attempts after s that were not decided on. Without a
// state only the rescuer's records count: the others failed before the policy was installed.
func lostAttempts(job *rivertype.JobRow, s *state) (lost []rivertype.AttemptError) {
	for _, a := range job.Errors {
		if a.Attempt > s.Attempt && (s.Version != 0 || rescued(a)) {
			lost = append(lost, a)
		}
	}
	return lost
}

// rescuedBeforeEnd reports whether the rescuer gave up the attempt before its end was stored. The
// end then changed nothing, and the job goes on as if the attempt was lost.
func rescuedBeforeEnd(job *rivertype.JobRow, attempt int) (found bool) {
	for _, a := range job.Errors {
		if a.Attempt != attempt {
			continue
		}
		if !rescued(a) {
			return false
		}
		found = true
	}
	return found
}

// rescued reports whether River's rescuer wrote the record.
func rescued(a rivertype.AttemptError) bool {
	return strings.HasPrefix(a.Error, "Stuck job rescued by ")
}

// latestStart returns the latest time at which an attempt may have begun, if the rescuer gave it up
// at rescuedAt.
func (m *middleware) latestStart(job *rivertype.JobRow, rescuedAt time.Time) time.Time {
	start := rescuedAt.Add(-m.rescueAfter)
	if start.Before(job.CreatedAt) {
		return job.CreatedAt
	}
	return start
}

// lastError returns the error of the last attempt, as it was stored.
func lastError(job *rivertype.JobRow, lost int) error {
	switch n := len(job.Errors); {
	case lost > 0:
		return ErrLost
	case n > 0:
		return errors.New(job.Errors[n-1].Error)
	}
	return nil
}

// fetchedAt returns when the attempt began, by the database's clock.
func fetchedAt(job *rivertype.JobRow) time.Time {
	if job.AttemptedAt == nil {
		return time.Now()
	}
	return *job.AttemptedAt
}
