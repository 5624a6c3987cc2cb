package retryriver

import (
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/seed-205ff063/retry"
)

// Install adds the policy to c: a worker middleware in front of those in c, and the RetryPolicy.
// They only work together. Call Install after you set Middleware, Logger, MaxAttempts, JobTimeout
// and RescueStuckJobsAfter, and before river.NewClient. A second call replaces both.
//
// If c.MaxAttempts is not set and the policy allows more than River's default of 25 attempts,
// Install sets it to the policy's limit. River stores this limit with each job that is inserted.
// Clients that only insert jobs need it too.
func (r *Retrier) Install(c *river.Config) {
	m := &middleware{Retrier: r, rescueAfter: rescueAfter(c), log: c.Logger}
	if m.log == nil {
		m.log = slog.Default()
	}
	c.RetryPolicy = m
	c.Middleware = slices.DeleteFunc(slices.Clone(c.Middleware), isOurs[rivertype.Middleware])
	c.WorkerMiddleware = slices.DeleteFunc(slices.Clone(c.WorkerMiddleware), isOurs[rivertype.WorkerMiddleware]) //nolint:staticcheck // deprecated, but older configurations use it
	if len(c.Middleware) == 0 && len(c.WorkerMiddleware)+len(c.JobInsertMiddleware) > 0 {                        //nolint:staticcheck // deprecated, but older configurations use it
		// River takes one kind of list.
		c.WorkerMiddleware = slices.Insert(c.WorkerMiddleware, 0, rivertype.WorkerMiddleware(m)) //nolint:staticcheck // deprecated, but older configurations use it
	} else {
		c.Middleware = slices.Insert(c.Middleware, 0, rivertype.Middleware(m))
	}
	if limit := r.maxAttempts(); c.MaxAttempts == 0 && limit > river.MaxAttemptsDefault {
		c.MaxAttempts = limit
	}
}

// middleware is what River calls. Its Work makes an attempt and decides what follows. Its NextRetry
// returns when.
type middleware struct {
	river.MiddlewareDefaults
	*Retrier

	rescueAfter time.Duration
	log         *slog.Logger
}

// isOurs reports whether m is a middleware of this package.
func isOurs[T any](m T) bool {
	_, ok := any(m).(*middleware)
	return ok
}

// maxAttemptsColumn is the highest limit that River's column holds.
const maxAttemptsColumn = 1<<15 - 1

// maxAttempts returns the highest limit of the policies.
func (r *Retrier) maxAttempts() (highest int) {
	policies := []*retry.Policy{r.policy}
	for _, p := range r.kinds {
		policies = append(policies, p)
	}
	for _, p := range policies {
		n := p.MaxAttempts()
		if n == retry.Unlimited {
			n = maxAttemptsColumn
		}
		highest = max(highest, min(n, maxAttemptsColumn))
	}
	return highest
}

// rescueAfter returns how long a job runs at least before River's rescuer gives it up.
func rescueAfter(c *river.Config) time.Duration {
	switch {
	case c.RescueStuckJobsAfter > 0:
		return c.RescueStuckJobsAfter
	case c.JobTimeout > 0:
		return time.Hour + c.JobTimeout
	}
	return time.Hour
}
