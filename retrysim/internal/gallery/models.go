package gallery

import (
	"context"
	"time"

	"github.com/seed-205ff063/retry/retrysim/internal/picture"
	"github.com/seed-205ff063/retry/retrysim/internal/report"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// herdJitter draws a thundering herd with and without jitter.
func herdJitter(ctx context.Context) (picture.Figure, error) {
	const common = "max_attempts=6 max_delay=30s "
	results, err := sim.Herd{Clients: 60_000, Seed: seed}.Run(ctx,
		policy("no jitter", common+"backoff=exponential(1s,2) jitter=none"),
		policy("full jitter", common+"backoff=exponential(1s,2)"),
		policy("decorrelated", common+"backoff=decorrelated(1s,3)"),
	)
	f := report.HerdFigure(results)
	f.Title = "60,000 clients fail at the same moment: when their retries arrive"
	return f, err
}

// competition draws optimistic concurrency with different jitters.
func competition(ctx context.Context) (picture.Figure, error) {
	results, err := sim.OCC{Clients: []int{10, 20, 50, 100}, Seed: seed}.Run(ctx,
		policy("no jitter", "max_attempts=unlimited backoff=exponential(10ms,2) max_delay=2s jitter=none"),
		policy("equal", "max_attempts=unlimited backoff=exponential(10ms,2) max_delay=2s jitter=equal"),
		policy("full", "max_attempts=unlimited backoff=exponential(10ms,2) max_delay=2s"),
		policy("decorrelated", "max_attempts=unlimited backoff=decorrelated(5ms,3) max_delay=2s"),
	)
	f := report.OCCFigure(results)
	f.Title = "Clients compete for one row: jitter saves writes and time"
	return f, err
}

// hangingServer is the server and the load of the pictures about outages.
var hangingServer = sim.Outage{
	Rate: 1000, Capacity: 1200, Seed: seed,
	Before: 10 * time.Second, Down: 30 * time.Second, After: time.Minute,
}

// withoutAndWithBudget runs an outage twice.
func withoutAndWithBudget(ctx context.Context, o sim.Outage) ([]sim.OutageResult, error) {
	without, err := o.Run(ctx, policy("4 attempts, no budget", "max_attempts=4"))
	if err != nil {
		return nil, err
	}
	o.Budget = &sim.BudgetSize{Ratio: 0.1, Burst: 100}
	with, err := o.Run(ctx, policy("4 attempts, budget of 10 %", "max_attempts=4"))
	return append(without, with...), err
}

// budget draws the load in an outage, without and with a budget.
func budget(ctx context.Context) (picture.Figure, error) {
	o := hangingServer
	o.Refuse = true
	results, err := withoutAndWithBudget(ctx, o)
	f := report.OutageFigure(o, results)
	f.Title = "A server refuses requests for 30 s: what retries do to its load"
	f.Panels = f.Panels[:1]
	return f, err
}

// metastable draws a failure that continues after its cause has ended.
func metastable(ctx context.Context) (picture.Figure, error) {
	results, err := withoutAndWithBudget(ctx, hangingServer)
	f := report.OutageFigure(hangingServer, results)
	f.Title = "A server hangs for 30 s: retries keep it down, a budget lets it recover"
	return f, err
}

// layers draws how the requests of layers that all retry multiply.
func layers(ctx context.Context) (picture.Figure, error) {
	const maxLayers, policyText = 4, "max_attempts=4 backoff=constant(10ms)"
	alwaysDown := sim.Outage{Rate: 20, Capacity: 100, Down: 2 * time.Minute, Refuse: true, Seed: seed}
	stopped, budgeted := alwaysDown, alwaysDown
	stopped.NoNesting = true
	budgeted.Budget = &sim.BudgetSize{Ratio: 0.1, Burst: 10}
	f := picture.Figure{
		Title:  "A failing server below layers that each make 4 attempts",
		X:      picture.Axis{Label: "layers", Marks: wholeMarks(maxLayers), Min: 0.8, Max: maxLayers + 0.2},
		Legend: []string{"every layer retries", "stop_if AlreadyRetried", "a budget of 10 % in each layer"},
	}
	panel := picture.Panel{Y: picture.Axis{
		Label: "requests at the server for each call", Log: true, Min: 0.9, Max: 400,
		Marks: []picture.Mark{{At: 1, Name: "1"}, {At: 4, Name: "4"}, {At: 16, Name: "16"}, {At: 64, Name: "64"}, {At: 256, Name: "256"}},
	}}
	for i, o := range []sim.Outage{alwaysDown, stopped, budgeted} {
		s := picture.Series{Style: i, Kind: picture.Marked}
		for o.Layers = 1; o.Layers <= maxLayers; o.Layers++ {
			results, err := o.Run(ctx, policy("", policyText))
			if err != nil {
				return f, err
			}
			s.X, s.Y = append(s.X, float64(o.Layers)), append(s.Y, results[0].Amplification)
		}
		panel.Series = append(panel.Series, s)
	}
	f.Panels = []picture.Panel{panel}
	return f, nil
}
