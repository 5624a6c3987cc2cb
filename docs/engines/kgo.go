package engines

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-205ff063/retry"
)

// Backoff is how long a client of Kafka waits before it repeats a request or connects again.
// It counts its tries from 1.
func Backoff(p *retry.Policy) []kgo.Opt {
	return []kgo.Opt{
		kgo.RetryBackoffFn(func(tries int) time.Duration {
			return p.Wait(retry.Attempt{Number: tries})
		}),
		kgo.RequestRetries(max(p.MaxAttempts()-1, 0)), // Unlimited has no counterpart here
	}
}
