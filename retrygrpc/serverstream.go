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
