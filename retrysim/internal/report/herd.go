package report

import (
	"context"
	"fmt"

	"github.com/seed-205ff063/retry/retrysim/internal/picture"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Herd shows when the retries of clients arrive that all failed at the same moment.
func Herd(ctx context.Context, h sim.Herd, policies []sim.Policy) (Report, error) {
	results, err := h.Run(ctx, policies...)
	if err != nil {
		return Report{}, err
	}
	r := Report{
		Command: "herd",
		Title:   grouped(float64(h.Clients), 0) + " clients fail at once: when their retries arrive",
		Columns: []Column{
			{colPolicy, colPolicy},
			{colClients, colClients},
			{"peak_share", "peak"},
			{"peak_share_after_first", "after 1st"},
			{"at_cap_share", "at the cap"},
			{"median_total_ms", "median total"},
			{"p99_total_ms", "p99 total"},
		},
		Notes: []string{"Peak is the share of the clients whose retries arrive in the busiest 50 ms, after the first retry too. " +
			"At the cap is the share whose last wait was max_delay. Total is what a client waits before it gives up."},
	}
	for _, x := range results {
		r.Rows = append(r.Rows, []Cell{
			name(x.Policy), count(x.Clients), share(x.PeakShare), share(x.PeakShareAfterFirst),
			share(x.AtCapShare), millis(x.MedianTotal), millis(x.P99Total),
		})
		if x.Left {
			r.Notes = append(r.Notes, x.Policy+" goes on after the last retry that is shown; -retries sets how many are.")
		}
	}
	r.Figure = HerdFigure(results)
	r.Figure.Title = r.Title
	return r, nil
}

// HerdFigure shows arrivals over time, a panel for each policy, all to one scale.
func HerdFigure(results []sim.HerdResult) picture.Figure {
	var buckets int
	var peak float64
	for _, x := range results {
		buckets = max(buckets, mostOf(x.Arrivals))
		peak = max(peak, 100*x.PeakShare)
	}
	buckets += buckets/20 + 2
	f := picture.Figure{X: picture.Axis{Label: "time since all clients failed (s)", Max: seconds(buckets, sim.HerdBucket)}}
	for i, x := range results {
		f.Panels = append(f.Panels, picture.Panel{
			Title:  x.Policy,
			Y:      picture.Axis{Label: fmt.Sprintf("%% of clients in 50 ms, at most %.1f", 100*x.PeakShare), Max: peak * 1.05},
			Series: []picture.Series{arrivals(x, buckets, i)},
		})
	}
	return f
}

// mostOf is how many buckets hold 99 % of the arrivals.
func mostOf(arrivals []int) int {
	total, so := 0, 0
	for _, n := range arrivals {
		total += n
	}
	for i, n := range arrivals {
		if so += n; so*100 >= total*99 {
			return i + 1
		}
	}
	return len(arrivals)
}

// arrivals shows the busiest of neighbouring buckets where there are more than fit. A step
// lasts until the next that differs.
func arrivals(x sim.HerdResult, buckets, style int) picture.Series {
	const most = 420
	s := picture.Series{Style: style, Kind: picture.Area}
	together := max(1, (buckets+most-1)/most)
	for from := 0; from <= buckets; from += together {
		highest := 0
		for i := from; i < min(from+together, len(x.Arrivals)); i++ {
			highest = max(highest, x.Arrivals[i])
		}
		y := 100 * float64(highest) / float64(x.Clients)
		if last := len(s.Y) - 1; last < 0 || s.Y[last] != y || from+together > buckets {
			s.X, s.Y = append(s.X, seconds(from, sim.HerdBucket)), append(s.Y, y)
		}
	}
	return s
}
