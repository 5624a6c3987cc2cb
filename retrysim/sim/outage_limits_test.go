package sim_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysim/sim"
)

func TestOutageErrors(t *testing.T) {
	t.Parallel()
	valid := sim.Outage{Rate: 10, Capacity: 10, Before: time.Second}
	for want, change := range map[string]func(o *sim.Outage){
		"Rate: 0 is not above 0 and at most 100000":                                        func(o *sim.Outage) { o.Rate = 0 },
		"Rate: NaN is not above 0 and at most 100000":                                      func(o *sim.Outage) { o.Rate = math.NaN() },
		"Capacity: -1 is not above 0 and at most 1000000":                                  func(o *sim.Outage) { o.Capacity = -1 },
		"Queue: -1 is not from 1 to 10000000":                                              func(o *sim.Outage) { o.Queue = -1 },
		"Timeout: -1s is not above 0":                                                      func(o *sim.Outage) { o.Timeout = -time.Second },
		"Layers: 6 is not from 1 to 5":                                                     func(o *sim.Outage) { o.Layers = 6 },
		"Down: -1s is not from 0s to 1h":                                                   func(o *sim.Outage) { o.Down = -time.Second },
		"After: 2h0m0s is not from 0s to 1h":                                               func(o *sim.Outage) { o.After = 2 * time.Hour },
		"Down: 0s: the run lasts 0s in all, which is below 1s":                             func(o *sim.Outage) { o.Before = 0 },
		"Budget: a ratio of -1 is not from 0 to 100":                                       func(o *sim.Outage) { o.Budget = &sim.BudgetSize{Ratio: -1} },
		"Budget: a burst of -1 is not from 0 to 1000000000":                                func(o *sim.Outage) { o.Budget = &sim.BudgetSize{Burst: -1} },
		"Rate: 100000 calls a second for 1h0m0s are more than 10000000; lower one of them": func(o *sim.Outage) { o.Rate, o.Before = 100_000, time.Hour },
		"Rate: 0 is not above 0 and at most 100000\nLayers: -1 is not from 1 to 5":         func(o *sim.Outage) { o.Rate, o.Layers = 0, -1 },
	} {
		o := valid
		change(&o)
		_, err := o.Run(t.Context(), parse(t, "", ""))
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, sim.ErrModel)
	}
}

// TestOutageIsBounded checks that a policy without waits and limits ends with an error instead
// of running forever.
func TestOutageIsBounded(t *testing.T) {
	t.Parallel()
	o := alwaysDown
	o.Rate, o.Down = 10, time.Second
	_, err := o.Run(t.Context(), parse(t, "eager", "max_attempts=unlimited backoff=constant(0s)"))
	require.ErrorIs(t, err, sim.ErrModel)
	require.EqualError(t, err, `policy "eager": Rate: more than 1000000 attempts at the same moment; the policy must wait`)
}
