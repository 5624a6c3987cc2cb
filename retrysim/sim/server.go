package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// server answers requests one after another, in the order in which they came. As that order
// and the outage are known, when a request will be answered is known as it arrives.
type server struct {
	service  time.Duration // mean; exponentially distributed
	room     int           // in the queue, the request being served included
	down, up time.Duration // when the outage begins and ends
	refuses  bool          // in the outage, and forgets its queue; else it accepts and stands still
	random   *rand.Rand

	answers []time.Duration // of the requests in the queue, from head on
	head    int
	free    time.Duration // when the last of them is answered
}

// accept returns when the request that arrives now will be answered, and whether it will. One
// that is not is refused at that time.
func (s *server) accept(now time.Duration) (answer time.Duration, ok bool) {
	if s.refuses && s.down <= now && now < s.up {
		return now, false
	}
	s.leave(now)
	if len(s.answers)-s.head >= s.room {
		return now, false
	}
	begin := max(now, s.free)
	answer = s.serve(begin)
	if s.refuses && now < s.down && answer > s.down {
		return s.down, false // it was in the queue when the server went down
	}
	s.free = answer
	s.answers = append(s.answers, answer)
	return answer, true
}

// serve returns when a request is answered that is taken up at begin.
func (s *server) serve(begin time.Duration) time.Duration {
	if s.down <= begin && begin < s.up {
		begin = s.up
	}
	end := begin + time.Duration(s.random.ExpFloat64()*float64(s.service))
	if begin < s.down && end > s.down && !s.refuses {
		end += s.up - s.down
	}
	return end
}

// leave takes the requests out of the queue that have been answered by now.
func (s *server) leave(now time.Duration) {
	for s.head < len(s.answers) && s.answers[s.head] <= now {
		s.head++
	}
	if s.head > 1024 && s.head*2 > len(s.answers) {
		s.answers = append(s.answers[:0], s.answers[s.head:]...)
		s.head = 0
	}
}

// request sends a request for a process, which waits for the answer until its time is up. The
// server does not notice that a client has left: it does the work all the same.
func (s *server) request(ctx context.Context, p *process, timeout time.Duration) error {
	answer, ok := s.accept(p.world.now)
	wait := answer - p.world.now
	if err := p.work(ctx, min(wait, timeout)); err != nil {
		return err
	}
	switch {
	case !ok:
		return errRefused
	case wait > timeout:
		return context.DeadlineExceeded
	}
	return nil
}

// errRefused is what a client hears of a server that is down or whose queue is full.
var errRefused = errors.New("refused")
