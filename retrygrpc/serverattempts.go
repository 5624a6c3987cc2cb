package retrygrpc

import (
	"context"
	"io"
)

// open makes attempts until one has its stream, and the request sent if it is known. It reports false
// once the call has failed.
func (s *serverStream) open() bool {
	for !s.settled.Load() {
		pause(s.ctx, s.policy, s.due)
		attempt := s.fresh()
		if !attempt.begin(&s.run, s.ctx) {
			s.next(attempt)
			continue
		}
		s.attempt = attempt
		a, err := s.connect(attempt.ctx, s)
		if err = s.resend(a, err); err == nil {
			return true
		}
		s.end(a, err)
	}
	return false
}

// fresh returns room for the next attempt.
func (s *serverStream) fresh() *suspended {
	if s.opening.run == nil {
		return &s.opening
	}
	return &suspended{}
}

// resend makes a the current attempt, and sends the request by it if it is known.
func (s *serverStream) resend(a *streamAttempt, err error) error {
	request, sent := s.turnTo(a)
	if err != nil || !sent {
		return err
	}
	if err := a.stream.SendMsg(request); err != nil && err != io.EOF {
		return err
	}
	return a.stream.CloseSend()
}

// turnTo makes a the current attempt. From here on it is the one by which SendMsg sends, unless it
// did before.
func (s *serverStream) turnTo(a *streamAttempt) (request any, sent bool) {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.current.Store(a)
	return s.request, s.sent
}

// end ends attempt a with err. The next may follow then, or the call has failed.
func (s *serverStream) end(a *streamAttempt, err error) {
	err = a.timedOut(err)
	a.release()
	attempt := s.close(s.judge(a.ctx, err, a.trailerOf(), &a.evidence))
	s.next(attempt)
}

// close ends the attempt's function with err. A panic of a hook comes out here, once.
func (s *serverStream) close(err error) *suspended {
	attempt := s.attempt
	s.attempt = nil
	attempt.end(err)
	return attempt
}

// next is called after an attempt has ended with an error.
func (s *serverStream) next(attempt *suspended) {
	if attempt.again {
		s.due = now(s.policy).Add(attempt.wait)
		return
	}
	s.err = s.failure(s.run.Err())
	s.forget()
	s.settled.Store(true)
	s.tell(s.current.Load(), s.err)
}

// accept ends the attempt with success: a message came, or the stream ended without one. It returns
// an error if the attempt's time was up before that.
func (s *serverStream) accept(a *streamAttempt, received error) error {
	if err := a.settle(); err != nil {
		return err
	}
	s.close(nil)
	s.forget()
	s.settled.Store(true)
	a.settled.Store(true)
	if received != nil {
		s.letGo(a, nil)
	}
	return nil
}

// forget lets go of the request, which is not sent again.
func (s *serverStream) forget() {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.request = nil
}

// over is called when a's stream is over, perhaps on grpc's goroutine. While somebody is reading the
// error is found there. Else the caller may have left the stream, so the attempt must end here.
func (s *serverStream) over(a *streamAttempt) {
	switch {
	case a.settled.Load():
		s.letGo(a, a.err)
	case s.reading.TryLock():
		defer s.reading.Unlock()
		s.leave(a)
	}
}

// letGo is called once the stream of the settled attempt a is over.
func (s *serverStream) letGo(a *streamAttempt, err error) {
	a.release()
	s.tell(a, err)
}

// leave ends attempt a, which nobody is reading. If another may follow it is made when the caller
// comes back, or the call ends with the caller's context.
func (s *serverStream) leave(a *streamAttempt) {
	if s.attempt == nil || s.current.Load() != a {
		return
	}
	s.end(a, a.err)
	if s.attempt == nil && !s.settled.Load() {
		context.AfterFunc(s.ctx, func() {
			s.reading.Lock()
			defer s.reading.Unlock()
			if s.attempt == nil {
				s.open()
			}
		})
	}
}
