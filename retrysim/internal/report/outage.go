package report

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry/retrysim/internal/picture"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Outage reports the load and the goodput of a server that goes down and comes back.
func Outage(ctx context.Context, o sim.Outage, policies []sim.Policy) (Report, error) {
	results, err := o.Run(ctx, policies...)
	if err != nil {
		return Report{}, err
	}
	r := newOutageReport(o)
	for _, x := range results {
		r.Rows = append(r.Rows, outageRow(x))
	}
	r.Figure = OutageFigure(o, results)
	r.Figure.Title = r.Title
	return r, nil
}

// newOutageReport returns a report without rows.
func newOutageReport(o sim.Outage) Report {
	return Report{
		Command: "outage",
		Title:   fmt.Sprintf("A server is down for %v: load and goodput", o.Down),
		Columns: []Column{
			{colPolicy, colPolicy},
			{colLayers, colLayers},
			{"amplification", "load"},
			{"peak_load", "peak load"},
			{"goodput_share", "succeed"},
			{"recovered_ms", "recovered"},
		},
		Notes: []string{
			"Load is the number of requests at the server per call, over the whole run.",
			"Recovered is the time from the end of the outage until at least 99 % of the calls succeed in every second.",
		},
	}
}

func outageRow(x sim.OutageResult) []Cell {
	recovered := Cell{Text: "never", Number: true}
	if x.HasRecovered {
		recovered = durationCell(x.Recovered)
	}
	return []Cell{
		textCell(x.Policy), countCell(x.Layers), numberCell(x.Amplification, 2, "×"), numberCell(x.PeakLoad, 0, "/s"),
		percentCell(x.GoodputShare), recovered,
	}
}

// OutageFigure draws load and goodput over time.
func OutageFigure(o sim.Outage, results []sim.OutageResult) picture.Figure {
	length := (o.Before + o.Down + o.After).Seconds()
	shade := []picture.Shade{{From: o.Before.Seconds(), To: (o.Before + o.Down).Seconds(), Label: "down"}}
	load := picture.Panel{
		Y: picture.Axis{Label: "load: requests a second"}, Shades: shade,
		Rules: []picture.Rule{{At: o.Capacity, Label: "capacity"}},
	}
	goodput := picture.Panel{Y: picture.Axis{Label: "goodput: calls a second that succeed"}, Shades: shade}
	goodput.Y.Max = o.Capacity * 1.25
	f := picture.Figure{X: picture.Axis{Label: "time (s)", Max: length}}
	for i, x := range results {
		f.Legend = append(f.Legend, x.Policy)
		load.Series = append(load.Series, rateSeries(x.Load, i))
		goodput.Series = append(goodput.Series, rateSeries(x.Goodput, i))
		for _, y := range goodput.Series[i].Y {
			goodput.Y.Max = max(goodput.Y.Max, y*1.2)
		}
	}
	f.Panels = []picture.Panel{load, goodput}
	return f
}

// rateSeries turns counts into counts a second, with at most 200 points.
func rateSeries(counts []int, style int) picture.Series {
	const maxPoints = 200
	perPoint := max(1, (len(counts)+maxPoints-1)/maxPoints)
	size := time.Duration(perPoint) * sim.OutageBucket
	s := picture.Series{Style: style}
	for from := 0; from+perPoint <= len(counts); from += perPoint {
		n := 0
		for _, c := range counts[from : from+perPoint] {
			n += c
		}
		s.X = append(s.X, bucketStart(from, sim.OutageBucket)+size.Seconds()/2)
		s.Y = append(s.Y, float64(n)/size.Seconds())
	}
	return s
}
