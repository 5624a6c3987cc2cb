package retrygrpc

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/seed-205ff063/retry"
)

// serverStream is a call with one request and a stream of responses, as its caller sees it: it is
// retried until its first message is there.
type serverStream struct {
	streamCall

	run     retry.Run
	opening suspended                     // the first attempt
	current atomic.Pointer[streamAttempt] // the last attempt
	settled atomic.Bool                   // nothing is retried any more

	reading sync.Mutex // held by who drives the attempts; the fields below are its
	attempt *suspended // nil between two attempts
	due     time.Time  // of the next attempt, if it is not the first
	err     error      // how the call failed

	sending sync.Mutex // the fields below are its
	request any
	sent    bool
}

// do opens the stream, with retries.
func (s *serverStream) do() (grpc.ClientStream, error) {
	s.run = *s.policy.Start(s.ctx)
	s.reading.Lock()
	defer s.reading.Unlock()
	if !s.open() {
		return nil, s.err
	}
	return s, nil
}

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

// RecvMsg receives a message. Until the first is there it makes further attempts.
func (s *serverStream) RecvMsg(m any) error {
	if !s.settled.Load() {
		if done, err := s.receiveFirst(m); done {
			return err
		}
	}
	if s.err != nil { // not written once s is settled
		return s.err
	}
	a := s.current.Load()
	err := a.stream.RecvMsg(m)
	if err == io.EOF {
		s.letGo(a, nil)
	} else if err != nil {
		s.letGo(a, err)
	}
	return err
}

// receiveFirst receives the first message, or the end of a stream without any. It reports false if
// somebody else did, or the call failed.
func (s *serverStream) receiveFirst(m any) (done bool, err error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	for s.isOpen() {
		a := s.current.Load()
		received := a.stream.RecvMsg(m)
		if received == nil || received == io.EOF {
			if err = s.accept(a, received); err == nil {
				return true, received
			}
			received = err
		}
		s.end(a, received)
	}
	return false, nil
}

// isOpen makes sure that an attempt's stream is open, and reports false once nothing is retried.
func (s *serverStream) isOpen() bool {
	return !s.settled.Load() && (s.attempt != nil || s.open())
}

// Header returns the header of the current attempt. If the stream ended without one it fetches the
// error, makes further attempts, and leaves the error of the last to RecvMsg.
func (s *serverStream) Header() (metadata.MD, error) {
	if s.settled.Load() || !s.reading.TryLock() { // a RecvMsg retries
		return s.currentHeader()
	}
	defer s.reading.Unlock()
	for s.isOpen() {
		a := s.current.Load()
		md, err := a.stream.Header()
		if err == nil && (md != nil || !a.finished.Load()) {
			return md, nil
		}
		if err == nil {
			err = a.ending()
		}
		if err == io.EOF {
			if err = s.accept(a, io.EOF); err == nil {
				return nil, nil
			}
		}
		s.end(a, err)
	}
	return s.currentHeader()
}

// currentHeader returns the header of a stream that nobody retries here.
func (s *serverStream) currentHeader() (metadata.MD, error) {
	if a := s.current.Load(); a.stream != nil {
		return a.stream.Header()
	}
	return nil, nil
}

// SendMsg sends the request, and keeps it for further attempts until the first message is there.
func (s *serverStream) SendMsg(m any) error {
	a, err := s.send(m)
	if err == nil || err == io.EOF { // RecvMsg finds the error
		return nil
	}
	// The client itself could not send it: the attempt is over, unless somebody reading saw that.
	if s.reading.TryLock() {
		defer s.reading.Unlock()
		if s.attempt != nil && s.current.Load() == a {
			s.end(a, err)
		}
		if s.err != nil || !s.settled.Load() {
			return s.err
		}
	}
	return err
}

// send sends the request by the current attempt.
func (s *serverStream) send(m any) (*streamAttempt, error) {
	a := s.keep(m)
	if a.stream == nil {
		return a, io.EOF
	}
	return a, a.stream.SendMsg(m)
}

// keep keeps the request for further attempts, and returns the current one.
func (s *serverStream) keep(m any) *streamAttempt {
	s.sending.Lock()
	defer s.sending.Unlock()
	if !s.sent && !s.settled.Load() {
		s.request = m
	}
	s.sent = true
	return s.current.Load()
}

// CloseSend ends the sending side, which has no more than one message.
func (s *serverStream) CloseSend() error {
	if a := s.current.Load(); a.stream != nil {
		return a.stream.CloseSend()
	}
	return nil
}

// Trailer returns the trailer of the last attempt.
func (s *serverStream) Trailer() metadata.MD { return s.current.Load().trailerOf() }

// Context returns the context of the last attempt's stream.
func (s *serverStream) Context() context.Context {
	if a := s.current.Load(); a.stream != nil {
		return a.stream.Context()
	}
	return s.ctx
}
