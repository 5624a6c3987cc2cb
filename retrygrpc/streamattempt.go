package retrygrpc

import (
	"context"
	"io"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// streamCall is what the attempts of one streaming call share.
type streamCall struct {
	call

	desc     *grpc.StreamDesc
	streamer grpc.Streamer
	first    streamAttempt // most calls need no other
	told     atomic.Bool   // the caller's OnFinish functions ran
}

// streamAttempt is one attempt of a streaming call. Its stream is nil if it could not be opened.
type streamAttempt struct {
	evidence

	stream  grpc.ClientStream
	ctx     context.Context // the policy's, which ends with the attempt's timeout
	limit   *limit          // nil if the attempt has no time of its own
	results *results        // nil if the caller asked for none
	owner   owner
	err     error // how grpc ended it; read only once finished is set
	settled atomic.Bool
}

// owner is told of the end of an attempt's stream.
type owner interface{ over(a *streamAttempt) }

// results are an attempt's own variables for Header, Trailer and Peer: grpc may fill them in late,
// when the next attempt has begun.
type results struct {
	header, trailer metadata.MD
	peer            peer.Peer
}

// connect opens the stream of the next attempt.
func (c *streamCall) connect(ctx context.Context, o owner) (*streamAttempt, error) {
	c.number++
	a := &c.first
	if c.number > 1 {
		a = &streamAttempt{}
	}
	a.ctx, a.owner = ctx, o
	if ctx.Done() != c.ctx.Done() {
		ctx, a.limit = newLimit(c.ctx, ctx)
	}
	var err error
	a.stream, err = c.streamer(c.numbered(ctx), c.desc, c.cc, c.method, c.streamOptions(a)...)
	return a, a.timedOut(err)
}

// streamOptions returns the call options of attempt a.
func (c *streamCall) streamOptions(a *streamAttempt) []grpc.CallOption {
	opts := append(c.options(), grpc.OnFinish(a.onFinish))
	if !c.idempotent {
		opts = append(opts, a.option())
	}
	if !c.results {
		return opts
	}
	a.results = &results{}
	for i, o := range opts[:len(c.opts)-len(c.finish)] {
		switch o.(type) {
		case grpc.HeaderCallOption:
			opts[i] = grpc.Header(&a.results.header)
		case grpc.TrailerCallOption:
			opts[i] = grpc.Trailer(&a.results.trailer)
		case grpc.PeerCallOption:
			opts[i] = grpc.Peer(&a.results.peer)
		}
	}
	return opts
}

// onFinish is what grpc calls when the attempt's stream is over, possibly on a goroutine of its own.
func (a *streamAttempt) onFinish(err error) {
	a.err = err
	a.finished.Store(true)
	a.owner.over(a)
}

// timedOut replaces err, if the attempt's time was up before its stream was settled.
func (a *streamAttempt) timedOut(err error) error {
	if err == nil || a.limit == nil || a.limit.state.Load() != expired {
		return err
	}
	return status.FromContextError(a.ctx.Err()).Err()
}

// settle keeps the attempt's stream from ending with the attempt's time. It returns an error if the
// time was up before.
func (a *streamAttempt) settle() error {
	if a.limit != nil && !a.limit.lift() {
		return a.timedOut(io.EOF)
	}
	return nil
}

// ending returns how the attempt's stream, which ended without a header, ended.
func (a *streamAttempt) ending() error {
	if err := a.stream.RecvMsg(&emptypb.Empty{}); err != nil {
		return err
	}
	return status.Error(codes.Internal, "retrygrpc: the stream went on after it had ended")
}

// release ends what is left of the attempt.
func (a *streamAttempt) release() {
	if a.limit != nil {
		a.limit.release()
	}
}

// trailerOf returns the trailer of the attempt's stream, which must be over.
func (a *streamAttempt) trailerOf() metadata.MD {
	if a.stream == nil {
		return nil
	}
	return a.stream.Trailer()
}

// tell fills in the caller's Header, Trailer and Peer by attempt a, the last, and runs the caller's
// OnFinish functions.
func (c *streamCall) tell(a *streamAttempt, err error) {
	if c.told.Swap(true) {
		return
	}
	if c.results && a != nil && a.finished.Load() {
		c.report(a.results)
	}
	c.finished(err)
}

// report copies r to the caller's variables.
func (c *streamCall) report(r *results) {
	for _, o := range c.opts {
		switch o := o.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = r.header
		case grpc.TrailerCallOption:
			*o.TrailerAddr = r.trailer
		case grpc.PeerCallOption:
			*o.PeerAddr = r.peer
		}
	}
}
