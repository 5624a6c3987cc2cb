package cut

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSchedule(t *testing.T) {
	t.Parallel()
	p := &Proxy{schedule: newSchedule()}
	assert.Equal(t, none, p.schedule.how(BeforeCommit, AfterCommit))

	p.CutNext(AfterCommit, 3)
	p.CutNext(BeforeCommit, 1)
	assert.Equal(t, none, p.schedule.how(BeforeStatement))
	assert.Equal(t, orderly, p.schedule.how(BeforeCommit, AfterCommit))
	assert.Len(t, p.Cuts(), 1)
	assert.Equal(t, reset, p.schedule.how(BeforeCommit, AfterCommit))
	assert.Equal(t, orderly, p.schedule.how(BeforeCommit, AfterCommit))
	p.HoldNext(AfterCommit, 1) // replaces the last of three cuts
	assert.Equal(t, hold, p.schedule.how(BeforeCommit, AfterCommit))
	assert.Equal(t, none, p.schedule.how(BeforeCommit, AfterCommit))
	assert.Len(t, p.Cuts(), 2)
	assert.Equal(t, 1, p.Cuts()[BeforeCommit])
	assert.Equal(t, 3, p.Cuts()[AfterCommit])
	p.CutNext(AfterCommit, 1)
	p.CutNext(AfterCommit, 0)
	assert.Equal(t, none, p.schedule.how(AfterCommit))
}

func (s *schedule) how(points ...Point) end {
	_, how := s.at(points...)
	return how
}

func TestScheduleRandom(t *testing.T) {
	t.Parallel()
	draw := func(probability float64, seed uint64) (hows [1000]end, cuts int) {
		p := &Proxy{schedule: newSchedule()}
		p.Random(probability, seed)
		for i := range hows {
			hows[i] = p.schedule.how(BeforeStatement)
		}
		n := p.Cuts()[BeforeStatement]
		p.Random(0, seed)
		for range 1000 {
			assert.Equal(t, none, p.schedule.how(BeforeStatement))
		}
		return hows, n
	}
	a, n := draw(0.1, 1)
	b, _ := draw(0.1, 1)
	c, _ := draw(0.1, 2)
	assert.Equal(t, a, b)
	assert.NotEqual(t, a, c)
	assert.InDelta(t, 100, n, 40)
	assert.Contains(t, a, orderly)
	assert.Contains(t, a, reset)
	_, n = draw(1, 1)
	assert.Equal(t, 1000, n)
}

// TestScheduleRandomBesides checks that CutNext applies although Random is on.
func TestScheduleRandomBesides(t *testing.T) {
	t.Parallel()
	p := &Proxy{schedule: newSchedule()}
	p.Random(1e-9, 1)
	p.CutNext(AfterCommit, 1)
	assert.Equal(t, none, p.schedule.how(BeforeCommit))
	assert.Equal(t, orderly, p.schedule.how(AfterCommit))
}
