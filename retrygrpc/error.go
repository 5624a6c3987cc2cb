package retrygrpc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
)

// callError is the error of a failed call: a status for gRPC's functions and a *retry.Error, or the
// fault of an option, for errors.Is and errors.As.
type callError struct {
	status *status.Status
	err    error
	text   string
	hint   time.Duration // of the last attempt's status
}

func (e *callError) Error() string              { return e.text }
func (e *callError) Unwrap() error              { return e.err }
func (e *callError) GRPCStatus() *status.Status { return e.status }

// RetryAfter passes the server's hint on to a retry further out, around a transaction say.
func (e *callError) RetryAfter() (time.Duration, bool) { return e.hint, e.hint > 0 }

// failure returns the error that leaves the interceptor for err, how a call ended.
func (c *call) failure(err error) error {
	if err == nil {
		return nil
	}
	var e *retry.Error
	if !errors.As(err, &e) {
		text := retry.ErrorText(err)
		return &callError{status: status.New(codes.Internal, text), err: err, text: rpcError(codes.Internal, text)}
	}
	if e.Err == nil || e.Reason == retry.ErrContext && c.ctx.Err() != nil && !c.ended {
		// No attempt was made, or the context ended in a wait.
		text := e.Error()
		code := c.contextCode()
		return &callError{status: status.New(code, text), err: e, text: rpcError(code, text)}
	}
	last := statusOf(e.Err)
	hint, _ := retryInfo(last)
	failed := &callError{status: last, err: e, text: rpcError(last.Code(), retry.ErrorText(errors.New(last.Message()))), hint: hint}
	if e.Attempts > 1 {
		failed.add(" (" + summary(e) + ")")
	}
	return failed
}

// contextCode is the code of a call that its context allowed no attempt, or none any more.
func (c *call) contextCode() codes.Code {
	if errors.Is(c.ctx.Err(), context.Canceled) {
		return codes.Canceled
	}
	return codes.DeadlineExceeded // passed, or sooner than a gate would let the attempt through
}

// add appends to the message, and keeps the details.
func (e *callError) add(more string) {
	p := e.status.Proto()
	p.Message += more
	e.status = status.FromProto(p)
	e.text += more
}

// summary is e's text without the last attempt's error.
func summary(e *retry.Error) string {
	short := *e
	short.Err = nil
	return short.Error()
}

// statusOf returns the status of err; an error of a context has that one's.
func statusOf(err error) *status.Status {
	if st, ok := status.FromError(err); ok {
		return st
	}
	return status.FromContextError(err)
}

// rpcError is a text such as gRPC's own errors have.
func rpcError(code codes.Code, message string) string {
	return fmt.Sprintf("rpc error: code = %s desc = %s", code, message)
}

// optionError is the error of a call option that is at fault.
type optionError string

func (f optionError) Error() string        { return "retrygrpc: " + string(f) }
func (f optionError) Is(target error) bool { return target == retry.ErrOption }
