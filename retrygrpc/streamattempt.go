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

// streamCall is what all attempts of one streaming call share.
type streamCall struct {
	call

	desc     *grpc.StreamDesc
	streamer grpc.Streamer
	first    streamAttempt // most calls need no other
	reported atomic.Bool   // reportEnd was called
}

// streamAttempt is one attempt of a streaming call.
type streamAttempt struct {
	sendProof

	stream  grpc.ClientStream // nil if it could not be opened
	ctx     context.Context   // the policy's; it ends with the attempt's timeout
	timeout *streamTimeout    // nil if the attempt has no timeout
	results *results          // nil if the caller wants none
	owner   streamOwner
	err     error       // how grpc ended the stream; read only once finished is set
	settled atomic.Bool // the caller has this stream
}

// streamOwner is told when an attempt's stream has ended.
type streamOwner interface{ streamEnded(a *streamAttempt) }

// results are an attempt's own variables for Header, Trailer and Peer. grpc may set them late, after
// the next attempt has begun.
type results struct {
	header, trailer metadata.MD
	peer            peer.Peer
}

// openAttempt begins the next attempt and opens its stream.
func (c *streamCall) openAttempt(ctx context.Context, o streamOwner) (*streamAttempt, error) {
	c.number++
	a := &c.first
	if c.number > 1 {
		a = &streamAttempt{}
	}
	a.ctx, a.owner = ctx, o
	if ctx.Done() != c.ctx.Done() {
		ctx, a.timeout = newStreamTimeout(c.ctx, ctx)
	}
	var err error
	a.stream, err = c.streamer(c.withNumber(ctx), c.desc, c.cc, c.method, c.streamOptions(a)...)
	return a, a.timeoutError(err)
}

// streamOptions returns the call options of attempt a.
func (c *streamCall) streamOptions(a *streamAttempt) []grpc.CallOption {
	opts := append(c.attemptOptions(), grpc.OnFinish(a.onFinish))
	if !c.idempotent {
		opts = append(opts, a.peerOption())
	}
	if !c.wantsResults {
		return opts
	}
	a.results = &results{}
	for i, o := range opts[:len(c.opts)-len(c.onFinish)] {
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

// onFinish is called by grpc when the attempt's stream has ended, perhaps on another goroutine.
func (a *streamAttempt) onFinish(err error) {
	a.err = err
	a.finished.Store(true)
	a.owner.streamEnded(a)
}

// timeoutError returns err, or the timeout's error if the attempt timed out before its stream was
// settled.
func (a *streamAttempt) timeoutError(err error) error {
	if err == nil || a.timeout == nil || a.timeout.state.Load() != expired {
		return err
	}
	return status.FromContextError(a.ctx.Err()).Err()
}

// settle stops the attempt's timeout, so that the stream may outlive it. It returns an error if the
// timeout has expired.
func (a *streamAttempt) settle() error {
	if a.timeout != nil && !a.timeout.stop() {
		return a.timeoutError(io.EOF)
	}
	return nil
}

// streamError returns the error of the attempt's stream, which has ended without a header.
func (a *streamAttempt) streamError() error {
	if err := a.stream.RecvMsg(&emptypb.Empty{}); err != nil {
		return err
	}
	return status.Error(codes.Internal, "retrygrpc: the stream went on after it had ended")
}

// release ends the context of the attempt's stream.
func (a *streamAttempt) release() {
	if a.timeout != nil {
		a.timeout.release()
	}
}

// trailer returns the trailer of the attempt's stream, which must have ended.
func (a *streamAttempt) trailer() metadata.MD {
	if a.stream == nil {
		return nil
	}
	return a.stream.Trailer()
}

// reportEnd sets the caller's Header, Trailer and Peer to those of a, the last attempt. Then it runs
// the caller's OnFinish functions. Only its first call does anything.
func (c *streamCall) reportEnd(a *streamAttempt, err error) {
	if c.reported.Swap(true) {
		return
	}
	if c.wantsResults && a != nil && a.finished.Load() {
		c.copyResults(a.results)
	}
	c.runOnFinish(err)
}

// copyResults copies r to the caller's variables.
func (c *streamCall) copyResults(r *results) {
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
