package main

import (
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

const pause = 10 * time.Millisecond // after an attempt that failed

// contender sets a client's configuration up.
type contender struct {
	name string
	set  func(c *river.Config) error
}

// contenders are what is compared. The first is what the other is held against.
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

// constant is a policy of River.
type constant struct{}

func (constant) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(pause) }
