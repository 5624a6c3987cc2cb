package benchmarks

import (
	"time"

	avastretry "github.com/avast/retry-go/v5"
	"github.com/cenkalti/backoff/v7"
	sethretry "github.com/sethvargo/go-retry"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/seed-205ff063/retry"
)

// Delay is how a library computes one wait.
type Delay struct {
	ID, Name string
	Ours     bool
	// Next returns a function that computes the wait after attempt n. Attempts count from 1.
	Next func() func(n int) time.Duration
}

// DelayTitle is the title of the table of Delays.
const DelayTitle = "The computation of a delay alone"

// DelayAbout says what is compared.
const DelayAbout = "The wait after attempts 1 to 8 of an exponential backoff. A backoff with state starts over after " +
	"attempt 8, and the figure includes that: cenkalti/backoff calls `Reset`, the others build a new value. " +
	"A Backoff of retry is a pure function of the attempt; the policy adds the jitter. " +
	"failsafe-go does not export its computation, and eapache/go-resiliency keeps a list."

// Delays returns all delays.
func Delays() []Delay {
	var delays []Delay
	for _, d := range []struct {
		id, name string
		backoff  retry.Backoff
	}{
		{"retry-constant", "retry.Constant", retry.Constant(initial)},
		{"retry-linear", "retry.Linear", retry.Linear(initial, initial)},
		{"retry-exponential-2", "retry.Exponential, factor 2", retry.Exponential(initial, factor)},
		{"retry-exponential-1.5", "retry.Exponential, factor 1.5", retry.Exponential(initial, 1.5)},
		{"retry-fibonacci", "retry.Fibonacci", retry.Fibonacci(initial)},
		{"retry-decorrelated", "retry.Decorrelated", retry.Decorrelated(initial, 3)},
	} {
		delays = append(delays, Delay{d.id, d.name, true, func() func(int) time.Duration {
			return func(n int) time.Duration { return d.backoff.Delay(retry.Attempt{Number: n}) }
		}})
	}
	return append(delays,
		Delay{"cenkalti", "cenkalti/backoff, no jitter", false, func() func(int) time.Duration {
			return cenkaltiDelay(0)
		}},
		Delay{"cenkalti-jitter", "cenkalti/backoff, jitter", false, func() func(int) time.Duration {
			return cenkaltiDelay(0.5)
		}},
		Delay{"avast", "avast/retry-go, no jitter", false, func() func(int) time.Duration {
			return avastDelay(avastretry.BackOffDelay)
		}},
		Delay{"avast-jitter", "avast/retry-go, jitter", false, func() func(int) time.Duration {
			return avastDelay(avastretry.FullJitterBackoffDelay)
		}},
		Delay{"sethvargo", "sethvargo/go-retry, no jitter", false, func() func(int) time.Duration {
			return sethvargoDelay(func() sethretry.Backoff { return sethretry.NewExponential(initial) })
		}},
		Delay{"sethvargo-jitter", "sethvargo/go-retry, jitter", false, func() func(int) time.Duration {
			return sethvargoDelay(func() sethretry.Backoff {
				return sethretry.WithFullJitter(sethretry.NewExponential(initial))
			})
		}},
		Delay{"kubernetes", "k8s wait, no jitter", false, func() func(int) time.Duration {
			return kubernetesDelay(0)
		}},
		Delay{"kubernetes-jitter", "k8s wait, jitter", false, func() func(int) time.Duration {
			return kubernetesDelay(1)
		}},
	)
}

func cenkaltiDelay(jitter float64) func(int) time.Duration {
	b := &backoff.ExponentialBackOff{
		InitialInterval: initial, RandomizationFactor: jitter, Multiplier: factor, MaxInterval: longest,
	}
	return func(n int) time.Duration {
		if n == 1 {
			b.Reset()
		}
		return b.NextBackOff()
	}
}

func avastDelay(f avastretry.DelayTypeFunc) func(int) time.Duration {
	r := avastretry.New(avastretry.Delay(initial), avastretry.MaxDelay(longest))
	return func(n int) time.Duration { return f(uint(n), nil, r) }
}

func sethvargoDelay(create func() sethretry.Backoff) func(int) time.Duration {
	var b sethretry.Backoff
	return func(n int) time.Duration {
		if n == 1 {
			b = create()
		}
		d, _ := b.Next()
		return d
	}
}

func kubernetesDelay(jitter float64) func(int) time.Duration {
	var b wait.Backoff
	return func(n int) time.Duration {
		if n == 1 {
			b = wait.Backoff{Duration: initial, Factor: factor, Jitter: jitter, Steps: 10, Cap: longest}
		}
		return b.Step()
	}
}
