package report

import (
	"context"
	"fmt"
	"strconv"

	"github.com/seed-205ff063/retry/retrysim/internal/picture"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// OCC reports how many writes clients that compete for one row need, and how long they take.
func OCC(ctx context.Context, o sim.OCC, policies []sim.Policy) (Report, error) {
	results, err := o.Run(ctx, policies...)
	if err != nil {
		return Report{}, err
	}
	r := Report{
		Command: "occ",
		Title:   "Clients compete for one row: writes and time until all are done",
		Columns: []Column{
			{colPolicy, colPolicy},
			{colClients, colClients},
			{"calls", "writes"},
			{"ms", "time"},
		},
	}
	for _, x := range results {
		r.Rows = append(r.Rows, []Cell{textCell(x.Policy), countCell(x.Clients), numberCell(x.Calls, 1, ""), durationCell(x.Time)})
		if x.GaveUp > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("%s has a limit: on average %.1f of %d clients gave up.", x.Policy, x.GaveUp, x.Clients))
		}
	}
	r.Figure = OCCFigure(results)
	r.Figure.Title = r.Title
	return r, nil
}

// OCCFigure draws writes and time over the number of clients.
func OCCFigure(results []sim.OCCResult) picture.Figure {
	calls := picture.Panel{Y: picture.Axis{Label: "writes until all are done"}}
	times := picture.Panel{Y: picture.Axis{Label: "time until all are done (s)", Log: true}}
	f := picture.Figure{X: picture.Axis{Label: colClients}}
	for _, x := range results {
		if last := len(f.Legend) - 1; last < 0 || f.Legend[last] != x.Policy {
			f.Legend = append(f.Legend, x.Policy)
			s := picture.Series{Style: len(f.Legend) - 1, Kind: picture.Marked}
			calls.Series, times.Series = append(calls.Series, s), append(times.Series, s)
		}
		c, t := &calls.Series[len(f.Legend)-1], &times.Series[len(f.Legend)-1]
		c.X, c.Y = append(c.X, float64(x.Clients)), append(c.Y, x.Calls)
		t.X, t.Y = append(t.X, float64(x.Clients)), append(t.Y, x.Time.Seconds())
		if len(f.Legend) == 1 {
			f.X.Marks = append(f.X.Marks, picture.Mark{At: float64(x.Clients), Name: strconv.Itoa(x.Clients)})
		}
	}
	f.Panels = []picture.Panel{calls, times}
	return f
}
