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

// callError is the error of a failed call. gRPC's functions find a status in it. errors.Is and
// errors.As find a *retry.Error, or the error of an option.
type callError struct {
	status *status.Status
	err    error
	text   string
	hint   time.Duration // of the last attempt's status
}

func (e *callError) Error() string              { return e.text }
func (e *callError) Unwrap() error              { return e.err }
func (e *callError) GRPCStatus() *status.Status { return e.status }

// RetryAfter passes the server's hint to an outer retry, for example of a transaction.
func (e *callError) RetryAfter() (time.Duration, bool) { return e.hint, e.hint > 0 }

// finalError returns what the caller gets for err, the error of the policy or of an option.
func (c *call) finalError(err error) error {
	if err == nil {
		return nil
	}
	var e *retry.Error
	if !errors.As(err, &e) {
		text := retry.ErrorText(err)
		return &callError{status: status.New(codes.Internal, text), err: err, text: rpcError(codes.Internal, text)}
	}
	if e.Err == nil || e.Reason == retry.ErrContext && c.ctx.Err() != nil && !c.callerEnded {
		// No attempt was made, or the context ended in a wait.
		text := e.Error()
		code := c.contextCode()
		return &callError{status: status.New(code, text), err: e, text: rpcError(code, text)}
	}
	last := statusOf(e.Err)
	hint, _ := retryInfo(last)
	failed := &callError{status: last, err: e, text: rpcError(last.Code(), retry.ErrorText(errors.New(last.Message()))), hint: hint}
	if e.Attempts > 1 {
		failed.appendMessage(" (" + summary(e) + ")")
	}
	return failed
}

// contextCode returns the code of a call whose context allowed no attempt, or no further one.
func (c *call) contextCode() codes.Code {
	if errors.Is(c.ctx.Err(), context.Canceled) {
		return codes.Canceled
	}
	return codes.DeadlineExceeded // it has passed, or would pass before a gate lets the attempt through
}

// appendMessage adds text to the status message and keeps the details.
func (e *callError) appendMessage(text string) {
	p := e.status.Proto()
	p.Message += text
	e.status = status.FromProto(p)
	e.text += text
}

// summary returns the text of e without the last attempt's error.
func summary(e *retry.Error) string {
	short := *e
	short.Err = nil
	return short.Error()
}

// statusOf returns the status of err. A context's error has the status of that context.
func statusOf(err error) *status.Status {
	if st, ok := status.FromError(err); ok {
		return st
	}
	return status.FromContextError(err)
}

// rpcError returns a text in the form of gRPC's own errors.
func rpcError(code codes.Code, message string) string {
	return fmt.Sprintf("rpc error: code = %s desc = %s", code, message)
}

// optionError says which call option is wrong. It matches retry.ErrOption.
type optionError string

func (e optionError) Error() string        { return "retrygrpc: " + string(e) }
func (e optionError) Is(target error) bool { return target == retry.ErrOption }
