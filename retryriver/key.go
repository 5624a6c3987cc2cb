package retryriver

import (
	"strconv"

	"github.com/riverqueue/river/rivertype"
)

// Key returns an idempotency key for the job: "kind:id". It is the same in every attempt, so a worker
// can find out whether an earlier attempt has done the work.
func Key(job *rivertype.JobRow) string {
	return job.Kind + ":" + strconv.FormatInt(job.ID, 10)
}
