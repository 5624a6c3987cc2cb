package retrynats_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry/retrynats"
)

// count is the result of a run.
type count struct {
	attempts int
	lost     int // attempts that began and never ended
	repeats  int // attempts whose number was used before, or after the job was done
	gaps     int // attempts that never began, because their delivery was lost
	early    int // attempts that began before their wait was over
	letters  int // jobs with a dead letter
	twice    int // dead letters beyond the first of a job
	left     int // entries that are left in State
}

// checkJob checks the attempts of a job.
func (p *proof) checkJob(t *testing.T, job string, attempts []*attempt, letters []deadLetter, c *count) {
	t.Helper()
	c.attempts += len(attempts)
	c.twice += max(len(letters)-1, 0)
	seen := map[int]bool{}
	done := false
	for i, a := range attempts {
		if a.result == "" {
			c.lost++
			assert.True(t, p.killedWorkers[a.pid], "%s: attempt %d was lost by a process that lived", job, a.number)
		}
		if seen[a.number] || done {
			c.repeats++
			assert.True(t, p.explained(attempts[:i+1]), "%s: attempt %d was repeated: %s", job, a.number, describe(attempts))
		}
		done = done || a.result == "done"
		seen[a.number] = true
		if i > 0 {
			p.checkWait(t, job, attempts[i-1], a, c)
		}
	}
	last := slices.MaxFunc(attempts, func(a, b *attempt) int { return a.number - b.number }).number
	for n := 1; n < last; n++ {
		if !seen[n] {
			c.gaps++
			assert.True(t, p.disturbed(attempts), "%s: there is no attempt %d: %s", job, n, describe(attempts))
		}
	}
	assert.LessOrEqual(t, last, maxAttempts, job)
	p.checkEnd(t, job, attempts, done, letters)
}

// checkWait checks the wait between two attempts of a job.
func (p *proof) checkWait(t *testing.T, job string, before, a *attempt, c *count) {
	t.Helper()
	if before.delay == 0 || a.number != before.number+1 {
		return
	}
	if waited := time.Duration(a.begin - before.end); waited < before.delay {
		c.early++
		// Without State only the server knows the wait. It may forget it, and stores whole seconds.
		assert.False(t, p.state, "%s: attempt %d after %v of %v", job, a.number, waited, before.delay)
	}
}

// checkEnd checks that the attempts explain the end of the job.
func (p *proof) checkEnd(t *testing.T, job string, attempts []*attempt, done bool, letters []deadLetter) {
	t.Helper()
	if len(letters) == 0 {
		assert.True(t, done, "%s has no end: %s", job, describe(attempts))
		return
	}
	last := attempts[len(attempts)-1]
	for _, l := range letters {
		switch {
		case l.reason == "permanent error":
			assert.Equal(t, "permanent", resultOf(job, l.attempts), "%s: %s", job, describe(attempts))
		case l.reason == "attempts exhausted" && l.err == retrynats.ErrLost.Error():
			assert.Equal(t, maxAttempts, l.attempts)
			assert.True(t, p.disturbed(attempts), "%s: %s", job, describe(attempts))
		case l.reason == "attempts exhausted":
			assert.Equal(t, maxAttempts, l.attempts)
			assert.NotEqual(t, "done", last.result, "%s: %s", job, describe(attempts))
		default:
			t.Errorf("%s: dead letter with the reason %q", job, l.reason)
		}
	}
}

// explained reports whether the last of the attempts may be a repeat. That is so if an earlier one was
// disturbed.
func (p *proof) explained(attempts []*attempt) bool { return p.disturbed(attempts[:len(attempts)-1]) }

// disturbed reports whether one of the attempts ran when its worker was killed or the server was down,
// or shortly before.
func (p *proof) disturbed(attempts []*attempt) bool {
	return slices.ContainsFunc(attempts, func(a *attempt) bool {
		if p.killedWorkers[a.pid] && (a.end == 0 || a.end > p.workerKilled-int64(time.Second)) {
			return true
		}
		end := max(a.end, a.begin)
		// A killed server forgets what it has not written to disk.
		return end > p.serverEnded-int64(2*time.Second) && a.begin < p.serverBack+int64(2*ackWait)
	})
}

// describe returns when each attempt began, its result and the wait after it.
func describe(attempts []*attempt) (s []string) {
	for _, a := range attempts {
		s = append(s, time.Unix(0, a.begin).Format("05.000 ")+a.result+" "+a.delay.String())
	}
	return s
}
