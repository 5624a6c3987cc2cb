package retrygrpc

import (
	"context"
	"io"
)

// openNext makes attempts until one has opened its stream and has sent the request, if the request
// is known. It reports false once the call has failed.
func (s *serverStream) openNext() bool {
	for !s.settled.Load() {
		waitUntil(s.ctx, s.policy, s.due)
		attempt := s.newAttempt()
		if !attempt.begin(&s.run, s.ctx) {
			s.afterFailure(attempt)
			continue
		}
		s.attempt = attempt
		a, err := s.openAttempt(attempt.ctx, s)
		if err = s.sendRequest(a, err); err == nil {
			return true
		}
		s.failAttempt(a, err)
	}
	return false
}

// newAttempt returns an attempt that has not begun.
func (s *serverStream) newAttempt() *suspendedAttempt {
	if s.firstAttempt.run == nil {
		return &s.firstAttempt
	}
	return &suspendedAttempt{}
}

// sendRequest makes a the current attempt and sends the request with it, if the request is known.
func (s *serverStream) sendRequest(a *streamAttempt, openErr error) error {
	request, sent := s.setCurrent(a)
	if openErr != nil || !sent {
		return openErr
	}
	if err := a.stream.SendMsg(request); err != nil && err != io.EOF {
		return err
	}
	return a.stream.CloseSend()
}

// setCurrent makes a the current attempt. SendMsg uses it from now on, unless the request was sent
// before.
func (s *serverStream) setCurrent(a *streamAttempt) (request any, sent bool) {
	s.requestMu.Lock()
	defer s.requestMu.Unlock()
	s.current.Store(a)
	return s.request, s.sent
}

// failAttempt ends attempt a with err. Then another attempt follows, or the call has failed.
func (s *serverStream) failAttempt(a *streamAttempt, err error) {
	err = a.timeoutError(err)
	a.release()
	attempt := s.endAttempt(s.classify(a.ctx, err, a.trailer(), &a.sendProof))
	s.afterFailure(attempt)
}

// endAttempt ends the current attempt with err. It panics if a hook does.
func (s *serverStream) endAttempt(err error) *suspendedAttempt {
	attempt := s.attempt
	s.attempt = nil
	attempt.end(err)
	return attempt
}

// afterFailure sets when the next attempt is due, or ends the call.
func (s *serverStream) afterFailure(attempt *suspendedAttempt) {
	if attempt.again {
		s.due = now(s.policy).Add(attempt.wait)
		return
	}
	s.err = s.finalError(s.run.Err())
	s.dropRequest()
	s.settled.Store(true)
	s.reportEnd(s.current.Load(), s.err)
}

// accept ends attempt a with success: it received a message, or io.EOF. It returns an error if the
// attempt timed out before that.
func (s *serverStream) accept(a *streamAttempt, received error) error {
	if err := a.settle(); err != nil {
		return err
	}
	s.endAttempt(nil)
	s.dropRequest()
	s.settled.Store(true)
	a.settled.Store(true)
	if received != nil {
		s.endStream(a, nil)
	}
	return nil
}

// dropRequest releases the request, which is not sent again.
func (s *serverStream) dropRequest() {
	s.requestMu.Lock()
	defer s.requestMu.Unlock()
	s.request = nil
}

// streamEnded is called when the stream of a has ended, perhaps on grpc's goroutine. If a method of
// the stream is running, it finds the error itself. If none is, the caller may have left the stream,
// so the attempt must end here.
func (s *serverStream) streamEnded(a *streamAttempt) {
	switch {
	case a.settled.Load():
		s.endStream(a, a.err)
	case s.attemptMu.TryLock():
		defer s.attemptMu.Unlock()
		s.endUnread(a)
	}
}

// endStream is called when the stream of a, which the caller has, has ended with err.
func (s *serverStream) endStream(a *streamAttempt, err error) {
	a.release()
	s.reportEnd(a, err)
}

// endUnread ends attempt a while nobody reads its stream. If another attempt may follow, the caller
// makes it by using the stream. If the caller does not come back, the call ends with its context.
func (s *serverStream) endUnread(a *streamAttempt) {
	if s.attempt == nil || s.current.Load() != a {
		return
	}
	s.failAttempt(a, a.err)
	if s.attempt == nil && !s.settled.Load() {
		context.AfterFunc(s.ctx, func() {
			s.attemptMu.Lock()
			defer s.attemptMu.Unlock()
			if s.attempt == nil {
				s.openNext()
			}
		})
	}
}
