package retrygrpc

import (
	"context"
	"fmt"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/seed-205ff063/retry"
)

// attemptKey is the metadata key of an attempt's number, sent from the second attempt on.
const attemptKey = "x-retry-attempt"

// call is what the attempts of one RPC share.
type call struct {
	ctx         context.Context // the caller's
	interceptor *Interceptor
	policy      *retry.Policy
	cc          *grpc.ClientConn // nil in channels that are not grpc's own
	method      string
	idempotent  bool

	opts    []grpc.CallOption // the caller's
	results bool              // opts has Header, Trailer or Peer, which tell of the last attempt
	finish  []func(error)     // the caller's OnFinish functions, which run once

	number int  // of the attempt
	ended  bool // ctx had ended when the last attempt did
}

// prepare reads the call options, and returns an error if one of them, or the policy, is at fault.
func (c *call) prepare(i *Interceptor, ctx context.Context, cc *grpc.ClientConn, method string, opts []grpc.CallOption) error {
	c.interceptor, c.ctx, c.cc, c.method, c.opts = i, ctx, cc, method, opts
	c.policy = i.Policy
	said := false
	for n, o := range opts {
		switch o := o.(type) {
		case nil:
			return c.failure(optionError(fmt.Sprintf("call option %d of %d is nil: leave it out", n+1, len(opts))))
		case idempotency:
			c.idempotent, said = o.may, true
		case policyOption:
			c.policy = o.policy
		case grpc.HeaderCallOption, grpc.TrailerCallOption, grpc.PeerCallOption:
			c.results = true
		case grpc.OnFinishCallOption:
			if o.OnFinish == nil {
				return c.failure(optionError(fmt.Sprintf("call option %d of %d, OnFinish, has a nil function: leave it out", n+1, len(opts))))
			}
			c.finish = append(c.finish, o.OnFinish)
		}
	}
	if !said {
		c.idempotent = i.isIdempotent(method)
	}
	if i.fault != nil {
		return c.failure(i.fault)
	}
	return nil
}

// finished runs the caller's OnFinish functions.
func (c *call) finished(err error) {
	for _, f := range c.finish {
		f(err)
	}
}

// numbered adds the attempt's number to the metadata of a retry.
func (c *call) numbered(ctx context.Context) context.Context {
	if c.number == 1 {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, attemptKey, strconv.Itoa(c.number))
}

// options returns the caller's options for one attempt, without OnFinish, with room for three more.
func (c *call) options() []grpc.CallOption {
	list := make([]grpc.CallOption, 0, len(c.opts)+3)
	if c.finish == nil {
		return append(list, c.opts...)
	}
	for _, o := range c.opts {
		if _, ok := o.(grpc.OnFinishCallOption); !ok {
			list = append(list, o)
		}
	}
	return list
}

// reset clears what an attempt before left in the variables of Header, Trailer and Peer.
func (c *call) reset() {
	if !c.results {
		return
	}
	for _, o := range c.opts {
		switch o := o.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = nil
		case grpc.TrailerCallOption:
			*o.TrailerAddr = nil
		case grpc.PeerCallOption:
			*o.PeerAddr = peer.Peer{}
		}
	}
}
