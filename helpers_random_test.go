package retry_test

import (
	"math/rand/v2"
	"time"

	"github.com/seed-205ff063/retry"
)

// backoffOfKind builds one of the package's strategies from any numbers.
func backoffOfKind(kind uint8, initial, step time.Duration, factor float64) retry.Backoff {
	switch kind % 8 {
	case 0:
		return retry.Constant(initial)
	case 1:
		return retry.Linear(initial, step)
	case 2:
		return retry.Exponential(initial, factor)
	case 3:
		return retry.Fibonacci(initial)
	case 4:
		return retry.Decorrelated(initial, factor)
	case 5:
		return retry.Sequence(initial, step)
	case 6:
		return retry.Chain(int(step%10), retry.Linear(initial, step), retry.Decorrelated(initial, factor))
	default:
		return retry.Chain(2, retry.Chain(int(step%3), retry.Exponential(initial, factor), retry.Constant(step)), retry.Fibonacci(initial))
	}
}

// seededRand makes the random numbers the same in every run.
func seededRand(seed uint64) retry.Option {
	return retry.WithRand(rand.New(rand.NewPCG(seed, 1)).Float64)
}

// randomDuration returns a duration of any magnitude.
func randomDuration(r *rand.Rand) time.Duration { return time.Duration(r.Int64() >> r.IntN(63)) }

// randomPolicy returns valid settings of any magnitude.
func randomPolicy(r *rand.Rand, attempts int) []retry.Option {
	b := backoffOfKind(uint8(r.Uint32()), randomDuration(r), randomDuration(r), 1+r.ExpFloat64()*float64(r.IntN(3)))
	opts := []retry.Option{retry.WithBackoff(b), retry.WithMaxAttempts(attempts)}
	if r.IntN(2) > 0 {
		jitter := retry.Jitter{Lo: r.Float64()}
		jitter.Hi = jitter.Lo + r.ExpFloat64()
		opts = append(opts, retry.WithJitter(jitter))
	}
	if r.IntN(2) > 0 {
		opts = append(opts, retry.WithMaxDelay(randomDuration(r)))
	}
	if r.IntN(3) == 0 {
		opts = append(opts, retry.WithMaxElapsed(randomDuration(r)))
	}
	return opts
}
