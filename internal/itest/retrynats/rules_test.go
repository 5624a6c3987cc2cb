package retrynats_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry/retrynats"
)

// count is what a run came to.
type count struct {
	attempts int
	lost     int // attempts that were begun and never ended
	repeats  int // attempts after the job was done, or made again
	gaps     int // numbers of attempts that never began: the delivery was lost on its way
	early    int // attempts before their wait was over
	letters  int // jobs with a dead letter
	twice    int // dead letters beyond the first
	left     int // entries of State
}

// checkJob holds the attempts of a job against the rules.
func (p *proof) checkJob(t *testing.T, job string, attempts []*attempt, letters []letter, c *count) {
	t.Helper()
	c.attempts += len(attempts)
	c.twice += max(len(letters)-1, 0)
	seen := map[int]bool{}
	done := false
	for i, a := range attempts {
		if a.result == "" {
			c.lost++
			assert.True(t, p.killed[a.pid], "%s: attempt %d was lost by a process that lived", job, a.number)
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

// checkWait wants the wait between two attempts of a job.
func (p *proof) checkWait(t *testing.T, job string, before, a *attempt, c *count) {
	t.Helper()
	if before.delay == 0 || a.number != before.number+1 {
		return
	}
	if waited := time.Duration(a.begin - before.end); waited < before.delay {
		c.early++
		// Without State nobody knows of a wait that the server forgot, or stored in whole seconds.
		assert.False(t, p.state, "%s: attempt %d after %v of %v", job, a.number, waited, before.delay)
	}
}

// checkEnd derives the end of the job.
func (p *proof) checkEnd(t *testing.T, job string, attempts []*attempt, done bool, letters []letter) {
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

// explained reports whether the last of the attempts may be a repeat: the one before was killed
// before its end was acknowledged, or the server was away then.
func (p *proof) explained(attempts []*attempt) bool { return p.disturbed(attempts[:len(attempts)-1]) }

// disturbed reports whether one of the attempts was made when a process died or the server was away.
func (p *proof) disturbed(attempts []*attempt) bool {
	return slices.ContainsFunc(attempts, func(a *attempt) bool {
		if p.killed[a.pid] && (a.end == 0 || a.end > p.kills[0]-int64(time.Second)) {
			return true
		}
		end := max(a.end, a.begin)
		// A killed server forgets what it had not yet written; the last restart is the server's.
		return end > p.kills[1]-int64(2*time.Second) && a.begin < p.backs[0]+int64(2*ackWait)
	})
}

func describe(attempts []*attempt) (s []string) {
	for _, a := range attempts {
		s = append(s, time.Unix(0, a.begin).Format("05.000 ")+a.result+" "+a.delay.String())
	}
	return s
}
