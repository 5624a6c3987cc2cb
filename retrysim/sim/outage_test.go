package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysim/sim"
)

func TestOutage(t *testing.T) {
	for _, b := range []*sim.BudgetSize{nil, {0.1, 100}} {
		for _, ref := range []bool{false, true} {
			for _, text := range []string{"max_attempts=4", "", "max_attempts=4 backoff=exponential(1s,2)", "max_attempts=2 backoff=constant(100ms)", "max_attempts=1"} {
				o := sim.Outage{Rate: 1000, Capacity: 1200, Before: 10 * time.Second, Down: 30 * time.Second, After: time.Minute, Budget: b, Refuse: ref, Seed: 1}
				at := time.Now()
				res, err := o.Run(t.Context(), parse(t, text, text))
				require.NoError(t, err)
				r := res[0]
				r.Load, r.Goodput = nil, nil
				t.Logf("%v %v %+v %v", b, ref, r, time.Since(at))
			}
		}
	}
}
