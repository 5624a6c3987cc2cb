package retryriver

import (
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/seed-205ff063/retry"
)

// NextRetry returns when the job's next attempt is due. River calls it after a failed attempt, once
// Work has decided. River's rescuer calls it for a lost attempt.
func (m *middleware) NextRetry(job *rivertype.JobRow) time.Time {
	if s, err := readState(job); err == nil && s.Number > 0 && !s.Ended && s.Attempt == job.Attempt {
		return time.Now().Add(s.Delay)
	}
	p := m.progressOf(job)
	wait := m.policyOf(job.Kind).Wait(retry.Attempt{Number: p.last.Number + 1, Waited: p.last.Delay, Err: ErrLost})
	// At River's limit the rescuer would end the job itself. Let it retry once more: Work then ends
	// the job without the worker, but with the policy's hooks, and it can be retried by hand.
	job.MaxAttempts = max(job.MaxAttempts, job.Attempt+1)
	return time.Now().Add(wait)
}
