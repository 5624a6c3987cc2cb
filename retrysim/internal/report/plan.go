package report

import (
	"fmt"
	"strconv"
	"time"

	"github.com/seed-205ff063/retry/retrysim/internal/picture"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Plan reports the wait before each retry of the policies, for at most n retries.
func Plan(n int, policies []sim.Policy) Report {
	r := Report{
		Command: "plan",
		Title:   "The wait before each retry: shortest, median, longest",
		Columns: []Column{
			{colPolicy, colPolicy},
			{colRetry, colRetry},
			{"min_ms", "min"},
			{"median_ms", "median"},
			{"max_ms", "max"},
			{"total_max_ms", "max total"},
		},
	}
	for _, p := range policies {
		steps := p.Policy.Plan(n)
		for _, s := range steps {
			r.Rows = append(r.Rows, []Cell{textCell(p.Name), countCell(s.Retry), durationCell(s.Min), durationCell(s.Median), durationCell(s.Max), durationCell(s.TotalMax)})
		}
		switch attempts := p.Policy.MaxAttempts(); {
		case len(steps) == 0:
			r.Notes = append(r.Notes, p.Name+" makes no retries.")
		case attempts < 0 || attempts-1 > n:
			r.Notes = append(r.Notes, fmt.Sprintf("%s goes on after retry %d.", p.Name, n))
		}
	}
	r.Figure = planFigure(n, policies)
	r.Figure.Title = r.Title
	return r
}

func planFigure(n int, policies []sim.Policy) picture.Figure {
	waits := picture.Panel{Y: picture.Axis{Label: "wait (s)"}}
	totals := picture.Panel{Y: picture.Axis{Label: "all waits so far, at most (s)"}}
	f := picture.Figure{X: picture.Axis{Label: colRetry, Max: 1.5, Min: 0.5}}
	for i, p := range policies {
		f.Legend = append(f.Legend, p.Name)
		wait := picture.Series{Style: i, Kind: picture.Ranges}
		total := picture.Series{Style: i, Kind: picture.Marked}
		for _, s := range p.Policy.Plan(n) {
			at := float64(s.Retry)
			f.X.Max = max(f.X.Max, at+0.5)
			wait.X = append(wait.X, at+barOffset(i, len(policies)))
			wait.Y = append(wait.Y, s.Median.Seconds())
			wait.Low = append(wait.Low, s.Min.Seconds())
			wait.High = append(wait.High, s.Max.Seconds())
			total.X, total.Y = append(total.X, at), append(total.Y, s.TotalMax.Seconds())
		}
		if wait.X != nil {
			waits.Series, totals.Series = append(waits.Series, wait), append(totals.Series, total)
		}
	}
	f.X.Marks = retryMarks(int(f.X.Max))
	f.Panels = []picture.Panel{waits, totals}
	return f
}

// barOffset is how far bar i of n is from the middle of the group.
func barOffset(i, n int) float64 { return (float64(i) - float64(n-1)/2) * 0.7 / float64(max(n, 4)) }

// retryMarks returns marks from 1 to n. It skips some if there are more than ten.
func retryMarks(n int) (marks []picture.Mark) {
	step := max(1, (n+9)/10)
	for i := 1; i <= n; i += step {
		marks = append(marks, picture.Mark{At: float64(i), Name: strconv.Itoa(i)})
	}
	return marks
}

// bucketStart is the time at which a bucket begins, in seconds.
func bucketStart(bucket int, size time.Duration) float64 {
	return (time.Duration(bucket) * size).Seconds()
}
