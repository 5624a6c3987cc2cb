package report

import (
	"context"
	"fmt"

	"github.com/seed-205ff063/retry/retrysim/internal/picture"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Herd reports when retries arrive if all clients fail at the same moment.
func Herd(ctx context.Context, h sim.Herd, policies []sim.Policy) (Report, error) {
	results, err := h.Run(ctx, policies...)
	if err != nil {
		return Report{}, err
	}
	r := newHerdReport(h)
	for _, x := range results {
		r.Rows = append(r.Rows, herdRow(x))
		if x.Left {
			r.Notes = append(r.Notes, x.Policy+" retries more often than this run followed it; -retries sets the limit.")
		}
	}
	r.Figure = HerdFigure(results)
	r.Figure.Title = r.Title
	return r, nil
}

// newHerdReport returns a report without rows.
func newHerdReport(h sim.Herd) Report {
	return Report{
		Command: "herd",
		Title:   withCommas(float64(h.Clients), 0) + " clients fail at once: when their retries arrive",
		Columns: []Column{
			{colPolicy, colPolicy},
			{colClients, colClients},
			{"peak_share", "peak"},
			{"peak_share_after_first", "after 1st"},
			{"at_cap_share", "at the cap"},
			{"median_total_ms", "median total"},
			{"p99_total_ms", "p99 total"},
		},
		Notes: []string{
			"Peak is the share of the clients whose retries arrive in the busiest 50 ms. After 1st leaves out first retries.",
			"At the cap is the share of the clients whose last wait was max_delay.",
			"Total is how long a client waits before it gives up.",
		},
	}
}

func herdRow(x sim.HerdResult) []Cell {
	return []Cell{
		textCell(x.Policy), countCell(x.Clients), percentCell(x.PeakShare), percentCell(x.PeakShareAfterFirst),
		percentCell(x.AtCapShare), durationCell(x.MedianTotal), durationCell(x.P99Total),
	}
}

// HerdFigure draws arrivals over time, with a panel for each policy. All panels have the same
// scale.
func HerdFigure(results []sim.HerdResult) picture.Figure {
	var buckets int
	var peak float64
	for _, x := range results {
		buckets = max(buckets, bucketsOfMost(x.Arrivals))
		peak = max(peak, 100*x.PeakShare)
	}
	buckets += buckets/20 + 2
	f := picture.Figure{X: picture.Axis{Label: "time since all clients failed (s)", Max: bucketStart(buckets, sim.HerdBucket)}}
	for i, x := range results {
		f.Panels = append(f.Panels, picture.Panel{
			Title:  x.Policy,
			Y:      picture.Axis{Label: fmt.Sprintf("%% of clients in 50 ms, at most %.1f", 100*x.PeakShare), Max: peak * 1.05},
			Series: []picture.Series{arrivalSeries(x, buckets, i)},
		})
	}
	return f
}

// bucketsOfMost returns how many buckets, from the first on, hold 99 % of the arrivals.
func bucketsOfMost(arrivals []int) int {
	total, sum := 0, 0
	for _, n := range arrivals {
		total += n
	}
	for i, n := range arrivals {
		if sum += n; sum*100 >= total*99 {
			return i + 1
		}
	}
	return len(arrivals)
}

// arrivalSeries combines neighbouring buckets if there are more than fit, and shows the
// busiest. It leaves out points at which the height does not change.
func arrivalSeries(x sim.HerdResult, buckets, style int) picture.Series {
	const maxPoints = 420
	s := picture.Series{Style: style, Kind: picture.Area}
	perPoint := max(1, (buckets+maxPoints-1)/maxPoints)
	for from := 0; from <= buckets; from += perPoint {
		highest := 0
		for i := from; i < min(from+perPoint, len(x.Arrivals)); i++ {
			highest = max(highest, x.Arrivals[i])
		}
		y := 100 * float64(highest) / float64(x.Clients)
		if last := len(s.Y) - 1; last < 0 || s.Y[last] != y || from+perPoint > buckets {
			s.X, s.Y = append(s.X, bucketStart(from, sim.HerdBucket)), append(s.Y, y)
		}
	}
	return s
}
