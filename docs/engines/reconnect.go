package engines

import (
	"time"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"

	"github.com/seed-205ff063/retry"
)

// Reconnect sets how a NATS connection reconnects. NATS counts the rounds over all servers from 1.
func Reconnect(p *retry.Policy) []nats.Option {
	return []nats.Option{
		nats.MaxReconnects(p.MaxAttempts()), // -1 is no limit in both
		nats.CustomReconnectDelay(func(round int) time.Duration {
			return p.Wait(retry.Attempt{Number: round})
		}),
	}
}

// Redis sets how go-redis repeats commands. It accepts only numbers. The policy must limit its
// attempts.
func Redis(p *retry.Policy, o *redis.Options) {
	o.MaxRetries = -1 // none
	if plan := p.Plan(p.MaxAttempts() - 1); len(plan) > 0 {
		o.MaxRetries = len(plan)
		o.MinRetryBackoff, o.MaxRetryBackoff = plan[0].Max, plan[len(plan)-1].Max
	}
}
