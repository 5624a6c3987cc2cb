package retryriver

import (
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/seed-205ff063/retry"
)

// Install puts into c the two parts that work together: a worker middleware, before those that c
// has, and the RetryPolicy. Call it when Middleware, Logger, MaxAttempts, JobTimeout and
// RescueStuckJobsAfter are set, and before river.NewClient. Installing again replaces both.
//
// Where c.MaxAttempts is not set and the policy allows more attempts than River's default of
// 25, Install sets it to the policy's limit. River stores that limit with each job as the job is
// inserted, so clients that only insert jobs want it too.
func (r *Retrier) Install(c *river.Config) {
	e := &engine{Retrier: r, rescueAfter: rescueAfter(c), log: c.Logger}
	if e.log == nil {
		e.log = slog.Default()
	}
	c.RetryPolicy = e
	c.Middleware = slices.DeleteFunc(slices.Clone(c.Middleware), isEngine[rivertype.Middleware])
	c.WorkerMiddleware = slices.DeleteFunc(slices.Clone(c.WorkerMiddleware), isEngine[rivertype.WorkerMiddleware]) //nolint:staticcheck // deprecated, and still where older configurations have theirs
	if len(c.Middleware) == 0 && len(c.WorkerMiddleware)+len(c.JobInsertMiddleware) > 0 {                          //nolint:staticcheck // deprecated, and still where older configurations have theirs
		// River takes one sort of list.
		c.WorkerMiddleware = slices.Insert(c.WorkerMiddleware, 0, rivertype.WorkerMiddleware(e)) //nolint:staticcheck // deprecated, and still where older configurations have theirs
	} else {
		c.Middleware = slices.Insert(c.Middleware, 0, rivertype.Middleware(e))
	}
	if most := r.maxAttempts(); c.MaxAttempts == 0 && most > river.MaxAttemptsDefault {
		c.MaxAttempts = most
	}
}

// engine is what River calls: the middleware decides what follows an attempt, and NextRetry reads
// the decision.
type engine struct {
	river.MiddlewareDefaults
	*Retrier

	rescueAfter time.Duration
	log         *slog.Logger
}

func isEngine[T any](m T) bool {
	_, ok := any(m).(*engine)
	return ok
}

// mostAttempts is what River's column for the limit holds.
const mostAttempts = 1<<15 - 1

// maxAttempts is the highest limit of the policies.
func (r *Retrier) maxAttempts() (most int) {
	policies := []*retry.Policy{r.policy}
	for _, p := range r.kinds {
		policies = append(policies, p)
	}
	for _, p := range policies {
		n := p.MaxAttempts()
		if n == retry.Unlimited {
			n = mostAttempts
		}
		most = max(most, min(n, mostAttempts))
	}
	return most
}

// rescueAfter is how long a job runs at least before River takes it for lost.
func rescueAfter(c *river.Config) time.Duration {
	switch {
	case c.RescueStuckJobsAfter > 0:
		return c.RescueStuckJobsAfter
	case c.JobTimeout > 0:
		return time.Hour + c.JobTimeout
	}
	return time.Hour
}
