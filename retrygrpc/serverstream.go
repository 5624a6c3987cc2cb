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

// serverStream is the stream that the caller has of a call with one request and a stream of
// responses. It makes attempts until the first message arrives.
type serverStream struct {
	streamCall

	run          retry.Run
	firstAttempt suspendedAttempt
	current      atomic.Pointer[streamAttempt] // the last attempt
	settled      atomic.Bool                   // no other attempt follows

	attemptMu sync.Mutex        // held while attempts are made; guards the fields below
	attempt   *suspendedAttempt // nil between two attempts
	due       time.Time         // when the next attempt may begin; zero for the first
	err       error             // why the call failed

	requestMu sync.Mutex // guards the fields below
	request   any
	sent      bool // SendMsg was called
}

// do opens the stream. It makes more attempts if that fails.
func (s *serverStream) do() (grpc.ClientStream, error) {
	s.run = *s.policy.Start(s.ctx)
	s.attemptMu.Lock()
	defer s.attemptMu.Unlock()
	if !s.openNext() {
		return nil, s.err
	}
	return s, nil
}

// RecvMsg receives a message. Until the first one arrives it makes further attempts.
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
		s.endStream(a, nil)
	} else if err != nil {
		s.endStream(a, err)
	}
	return err
}

// receiveFirst receives the first message, or io.EOF from an empty stream. It reports false if
// another goroutine did so, or if the call failed.
func (s *serverStream) receiveFirst(m any) (done bool, err error) {
	s.attemptMu.Lock()
	defer s.attemptMu.Unlock()
	for s.ensureOpen() {
		a := s.current.Load()
		received := a.stream.RecvMsg(m)
		if received == nil || received == io.EOF {
			if err = s.accept(a, received); err == nil {
				return true, received
			}
			received = err
		}
		s.failAttempt(a, received)
	}
	return false, nil
}

// ensureOpen opens a stream if none is open. It reports false if no other attempt follows.
func (s *serverStream) ensureOpen() bool {
	return !s.settled.Load() && (s.attempt != nil || s.openNext())
}

// Header returns the header of the current attempt. If the stream has ended without a header, Header
// reads its error and makes further attempts. If all fail, RecvMsg returns the last error.
func (s *serverStream) Header() (metadata.MD, error) {
	if s.settled.Load() || !s.attemptMu.TryLock() { // locked: a RecvMsg makes the attempts
		return s.currentHeader()
	}
	defer s.attemptMu.Unlock()
	for s.ensureOpen() {
		a := s.current.Load()
		md, err := a.stream.Header()
		if err == nil && (md != nil || !a.finished.Load()) {
			return md, nil
		}
		if err == nil {
			err = a.streamError()
		}
		if err == io.EOF {
			if err = s.accept(a, io.EOF); err == nil {
				return nil, nil
			}
		}
		s.failAttempt(a, err)
	}
	return s.currentHeader()
}

// currentHeader returns the header of the current attempt without further attempts.
func (s *serverStream) currentHeader() (metadata.MD, error) {
	if a := s.current.Load(); a.stream != nil {
		return a.stream.Header()
	}
	return nil, nil
}

// SendMsg sends the request. It keeps the request for further attempts until the first message
// arrives.
func (s *serverStream) SendMsg(m any) error {
	a, err := s.send(m)
	if err == nil || err == io.EOF { // RecvMsg returns the error
		return nil
	}
	// The client itself could not send the request. That ends the attempt, unless a reader of the
	// stream ended it first.
	if s.attemptMu.TryLock() {
		defer s.attemptMu.Unlock()
		if s.attempt != nil && s.current.Load() == a {
			s.failAttempt(a, err)
		}
		if s.err != nil || !s.settled.Load() {
			return s.err
		}
	}
	return err
}

// send sends the request with the current attempt.
func (s *serverStream) send(m any) (*streamAttempt, error) {
	a := s.keepRequest(m)
	if a.stream == nil {
		return a, io.EOF
	}
	return a, a.stream.SendMsg(m)
}

// keepRequest keeps the request for further attempts. It returns the current attempt.
func (s *serverStream) keepRequest(m any) *streamAttempt {
	s.requestMu.Lock()
	defer s.requestMu.Unlock()
	if !s.sent && !s.settled.Load() {
		s.request = m
	}
	s.sent = true
	return s.current.Load()
}

// CloseSend closes the sending side. There is one request at most.
func (s *serverStream) CloseSend() error {
	if a := s.current.Load(); a.stream != nil {
		return a.stream.CloseSend()
	}
	return nil
}

// Trailer returns the trailer of the last attempt.
func (s *serverStream) Trailer() metadata.MD { return s.current.Load().trailer() }

// Context returns the context of the last attempt's stream.
func (s *serverStream) Context() context.Context {
	if a := s.current.Load(); a.stream != nil {
		return a.stream.Context()
	}
	return s.ctx
}
