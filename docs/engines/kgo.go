package engines

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-205ff063/retry"
)

// Backoff sets how long a Kafka client waits before it repeats a request or reconnects. The client
// counts its tries from 1.
func Backoff(p *retry.Policy) []kgo.Opt {
	return []kgo.Opt{
		kgo.RetryBackoffFn(func(tries int) time.Duration {
			return p.Wait(retry.Attempt{Number: tries})
		}),
		kgo.RequestRetries(max(p.MaxAttempts()-1, 0)), // kgo cannot express Unlimited
	}
}
