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

// attemptKey is the metadata key of the attempt's number. It is sent from the second attempt on.
const attemptKey = "x-retry-attempt"

// call is what all attempts of one RPC share.
type call struct {
	ctx         context.Context // the caller's
	interceptor *Interceptor
	policy      *retry.Policy
	cc          *grpc.ClientConn // nil in channels that are not grpc's own
	method      string
	idempotent  bool

	opts         []grpc.CallOption // the caller's
	wantsResults bool              // opts has Header, Trailer or Peer
	onFinish     []func(error)     // the caller's OnFinish functions

	number      int  // of the current attempt
	callerEnded bool // the caller's context had ended when the last attempt did
}

// prepare sets up the call and reads its options. It returns an error if an option is wrong, of the
// call or of the policy.
func (c *call) prepare(i *Interceptor, ctx context.Context, cc *grpc.ClientConn, method string, opts []grpc.CallOption) error {
	c.interceptor, c.ctx, c.cc, c.method, c.opts = i, ctx, cc, method, opts
	c.policy = i.Policy
	hasIdempotency := false
	for n, o := range opts {
		switch o := o.(type) {
		case nil:
			return c.finalError(optionError(fmt.Sprintf("call option %d of %d is nil: leave it out", n+1, len(opts))))
		case idempotencyOption:
			c.idempotent, hasIdempotency = o.idempotent, true
		case policyOption:
			c.policy = o.policy
		case grpc.HeaderCallOption, grpc.TrailerCallOption, grpc.PeerCallOption:
			c.wantsResults = true
		case grpc.OnFinishCallOption:
			if o.OnFinish == nil {
				return c.finalError(optionError(fmt.Sprintf("call option %d of %d, OnFinish, has a nil function: leave it out", n+1, len(opts))))
			}
			c.onFinish = append(c.onFinish, o.OnFinish)
		}
	}
	if !hasIdempotency {
		c.idempotent = i.isIdempotent(method)
	}
	if i.optionErr != nil {
		return c.finalError(i.optionErr)
	}
	return nil
}

// runOnFinish runs the caller's OnFinish functions.
func (c *call) runOnFinish(err error) {
	for _, f := range c.onFinish {
		f(err)
	}
}

// withNumber adds the attempt's number to the metadata, unless it is the first attempt.
func (c *call) withNumber(ctx context.Context) context.Context {
	if c.number == 1 {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, attemptKey, strconv.Itoa(c.number))
}

// attemptOptions returns a copy of the caller's options for one attempt, without OnFinish. It has
// room for three more.
func (c *call) attemptOptions() []grpc.CallOption {
	list := make([]grpc.CallOption, 0, len(c.opts)+3)
	if c.onFinish == nil {
		return append(list, c.opts...)
	}
	for _, o := range c.opts {
		if _, ok := o.(grpc.OnFinishCallOption); !ok {
			list = append(list, o)
		}
	}
	return list
}

// resetResults clears what an earlier attempt left in the variables of Header, Trailer and Peer.
func (c *call) resetResults() {
	if !c.wantsResults {
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
