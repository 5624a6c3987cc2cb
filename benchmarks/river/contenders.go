package main

import (
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

const pause = 10 * time.Millisecond // the wait after a failed attempt

// contender is a way to retry jobs.
type contender struct {
	name string
	set  func(c *river.Config) error // sets it in a client's configuration
}

// contenders returns what is compared. The second is compared with the first.
func contenders() []contender {
	return []contender{
		{"River's own", func(c *river.Config) error { c.RetryPolicy = constant{}; return nil }},
		{"**retryriver**", func(c *river.Config) error {
			retrier, err := retryriver.New(retryriver.Config{
				Policy: retry.MustNew(retry.WithMaxAttempts(20), retry.WithBackoff(retry.Constant(pause))),
			})
			if err == nil {
				retrier.Install(c)
			}
			return err
		}},
	}
}

// constant is a river.ClientRetryPolicy whose wait is always pause.
type constant struct{}

func (constant) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(pause) }
