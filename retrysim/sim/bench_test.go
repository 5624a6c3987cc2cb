package sim_test

import (
	"testing"

	"github.com/seed-205ff063/retry/retrysim/sim"
)

// BenchmarkHerd is a million clients under the default policy and five retries.
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
