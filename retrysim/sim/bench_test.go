package sim_test

import (
	"testing"
	"time"

	"github.com/seed-205ff063/retry/retrysim/sim"
)

// BenchmarkHerd simulates a million clients that each make five retries.
func BenchmarkHerd(b *testing.B) {
	p := parse(b, "full", "max_attempts=6 backoff=exponential(1s,2)")
	b.ReportAllocs()
	for b.Loop() {
		h := sim.Herd{Clients: 1_000_000, Seed: 1}
		if _, err := h.Run(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOutage simulates a metastable failure: 100,000 calls with 370,000 attempts.
func BenchmarkOutage(b *testing.B) {
	p := parse(b, "full", "max_attempts=4")
	b.ReportAllocs()
	for b.Loop() {
		o := sim.Outage{
			Rate: 1000, Capacity: 1200, Seed: 1,
			Before: 10 * time.Second, Down: 30 * time.Second, After: time.Minute,
		}
		if _, err := o.Run(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}
