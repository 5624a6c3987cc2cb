package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// server answers requests one after another, in the order of their arrival. The order and the
// outage are known in advance, so accept can already compute when a request will be answered.
type server struct {
	meanService time.Duration // mean time to answer a request; exponentially distributed
	queueLimit  int           // includes the request that is being served
	downFrom    time.Duration
	downUntil   time.Duration
	refuses     bool // when down, refuse requests and drop the queue; otherwise hang
	random      *rand.Rand

	answers   []time.Duration // when the requests in the queue are answered, from head on
	head      int
	busyUntil time.Duration // when the last request in the queue is answered
}

// errRefused is the error of a request to a server that is down or whose queue is full.
var errRefused = errors.New("refused")

// request sends a request and waits for the answer until the timeout. The server does not
// notice that a client has left: it does the work anyway.
func (s *server) request(ctx context.Context, p *process, timeout time.Duration) error {
	answer, ok := s.accept(p.world.now)
	wait := answer - p.world.now
	if err := p.sleepContext(ctx, min(wait, timeout)); err != nil {
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

// accept returns when a request that arrives now is answered, or, with ok false, when it is
// refused.
func (s *server) accept(now time.Duration) (answer time.Duration, ok bool) {
	if s.refuses && s.isDown(now) {
		return now, false
	}
	s.dropAnswered(now)
	if len(s.answers)-s.head >= s.queueLimit {
		return now, false
	}
	answer = s.serve(max(now, s.busyUntil))
	if s.refuses && now < s.downFrom && answer > s.downFrom {
		return s.downFrom, false // it was in the queue when the server went down
	}
	s.busyUntil = answer
	s.answers = append(s.answers, answer)
	return answer, true
}

// serve draws how long a request takes, and returns when it is answered if its turn comes at
// begin.
func (s *server) serve(begin time.Duration) time.Duration {
	if s.isDown(begin) {
		begin = s.downUntil
	}
	end := begin + time.Duration(s.random.ExpFloat64()*float64(s.meanService))
	if begin < s.downFrom && end > s.downFrom && !s.refuses {
		end += s.downUntil - s.downFrom
	}
	return end
}

func (s *server) isDown(at time.Duration) bool { return s.downFrom <= at && at < s.downUntil }

// dropAnswered removes the requests from the queue that have been answered by now. It moves
// the rest to the front only when most of the slice is unused.
func (s *server) dropAnswered(now time.Duration) {
	for s.head < len(s.answers) && s.answers[s.head] <= now {
		s.head++
	}
	if s.head > 1024 && s.head*2 > len(s.answers) {
		s.answers = append(s.answers[:0], s.answers[s.head:]...)
		s.head = 0
	}
}
