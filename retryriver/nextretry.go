package retryriver

import (
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/seed-205ff063/retry"
)

// NextRetry says when the job's next attempt is due. River asks it after a failed attempt, when
// the middleware has decided, and its rescuer asks for attempts that are lost.
func (e *engine) NextRetry(job *rivertype.JobRow) time.Time {
	if s, err := readState(job); err == nil && s.Number > 0 && !s.Ended && s.Attempt == job.Attempt {
		return time.Now().Add(s.Delay)
	}
	p := e.recall(job)
	wait := e.policyOf(job.Kind).Wait(retry.Attempt{Number: p.last.Number + 1, Waited: p.last.Delay, Err: ErrLost})
	// At River's limit the rescuer would end the job by itself. It goes on once more, and the
	// middleware ends it without the worker: with the policy's hooks, and to be retried by hand.
	job.MaxAttempts = max(job.MaxAttempts, job.Attempt+1)
	return time.Now().Add(wait)
}
