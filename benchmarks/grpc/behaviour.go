package main

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// behaviour is what each contender except plain gRPC does in one situation.
type behaviour struct {
	situation string
	unit      string
	found     []string // in the order of rivals
}

// rivals returns the contenders that retry.
func rivals() []contender { return contenders()[1:] }

// situation is a way to fail. Its run returns a figure, and false if the contender lacks a feature that
// the situation needs.
type situation struct {
	name, unit string
	run        func(c contender) (figure float64, ok bool, err error)
}

var errDown = status.Error(codes.Unavailable, "down")

func situations() []situation {
	return []situation{
		{"stream that breaks after 2 messages", "messages delivered, of at most 20 read", brokenStream},
		{"stream that fails before its first message, then works", "messages delivered", failingStream},
		{"not idempotent, UNAVAILABLE after it was processed", "times processed", counted(create, nil, errDown)},
		{"not idempotent, no connection", "attempts that interceptors make (gRPC's own retries are not seen)", unsent},
		{"RetryInfo of 300 ms", "ms until the next attempt", waited(nil, withInfo(300*time.Millisecond))},
		{"pushback of 300 ms", "ms until the next attempt", waited(metadata.Pairs("grpc-retry-pushback-ms", "300"), errDown)},
		{"pushback of -1: stop", "calls", counted(get, metadata.Pairs("grpc-retry-pushback-ms", "-1"), errDown)},
		{"request above the server's size limit", "calls", counted(get, nil, status.Error(codes.ResourceExhausted, "grpc: received message larger than max (5 vs. 4)"))},
		{"idempotent, attempts of at most 100 ms, the first hangs", "calls", timedOut(get)},
		{"not idempotent, attempts of at most 100 ms, the first hangs", "calls", timedOut(create)},
		{"next wait of 10 s, the deadline is in 1 s", "ms until it gives up", pastDeadline},
	}
}

func measureBehaviours() ([]behaviour, error) {
	var all []behaviour
	for _, s := range situations() {
		b := behaviour{situation: s.name, unit: s.unit}
		for _, c := range rivals() {
			figure, ok, err := s.run(c)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", s.name, c.name, err)
			}
			text := "–"
			if ok {
				text = fmt.Sprintf("%.0f", figure)
			}
			b.found = append(b.found, text)
		}
		all = append(all, b)
	}
	return all, nil
}

// with serves the shop and runs f with a client of the contender.
func with(s *shop, c contender, options []grpc.DialOption, f func(ctx context.Context, cc *grpc.ClientConn)) error {
	address, stop, err := s.serve()
	if err != nil {
		return err
	}
	defer stop()
	c.options = options
	cc, err := dial(c, address)
	if err != nil {
		return err
	}
	defer cc.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	f(ctx, cc)
	return nil
}

func brokenStream(c contender) (figure float64, ok bool, err error) {
	s := &shop{stream: func(_ int, s grpc.ServerStream) error {
		_ = s.SendMsg(wrapperspb.String("a"))
		_ = s.SendMsg(wrapperspb.String("b"))
		return errDown
	}}
	err = with(s, c, c.options, func(ctx context.Context, cc *grpc.ClientConn) {
		n, _ := receive(ctx, cc, 20)
		figure = float64(n)
	})
	return figure, true, err
}

func failingStream(c contender) (figure float64, ok bool, err error) {
	s := &shop{stream: func(call int, s grpc.ServerStream) error {
		if call < 3 {
			return errDown
		}
		return s.SendMsg(wrapperspb.String("a"))
	}}
	err = with(s, c, c.options, func(ctx context.Context, cc *grpc.ClientConn) {
		n, _ := receive(ctx, cc, 20)
		figure = float64(n)
	})
	return figure, true, err
}

// failing returns a shop that answers each call with the trailer and the error.
func failing(trailer metadata.MD, answer error) *shop {
	return &shop{unary: func(ctx context.Context, _ int) (string, error) {
		_ = grpc.SetTrailer(ctx, trailer)
		return "", answer
	}}
}

// counted counts the calls that the server gets, if it fails them all.
func counted(method string, trailer metadata.MD, answer error) func(contender) (float64, bool, error) {
	return func(c contender) (float64, bool, error) {
		s := failing(trailer, answer)
		err := with(s, c, c.options, func(ctx context.Context, cc *grpc.ClientConn) { _ = unary(ctx, cc, method) })
		return float64(s.calls.Load()), true, err
	}
}

// withInfo returns an error with a RetryInfo.
func withInfo(d time.Duration) error {
	st, err := status.New(codes.Unavailable, "down").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(d)})
	if err != nil {
		return err
	}
	return st.Err()
}

// waited measures the time between the first two attempts.
func waited(trailer metadata.MD, answer error) func(contender) (float64, bool, error) {
	return func(c contender) (figure float64, ok bool, err error) {
		var first time.Time
		s := &shop{unary: func(ctx context.Context, call int) (string, error) {
			if call == 1 {
				first = time.Now()
				_ = grpc.SetTrailer(ctx, trailer)
				return "", answer
			}
			figure, ok = float64(time.Since(first).Microseconds())/1000, true
			return "done", nil
		}}
		err = with(s, c, c.options, func(ctx context.Context, cc *grpc.ClientConn) { _ = unary(ctx, cc, get) })
		return figure, ok, err
	}
}

// timedOut counts the calls to a server whose first call hangs.
func timedOut(method string) func(contender) (float64, bool, error) {
	return func(c contender) (float64, bool, error) {
		if c.timed == nil {
			return 0, false, nil
		}
		s := &shop{unary: func(ctx context.Context, call int) (string, error) {
			if call == 1 {
				<-ctx.Done()
				return "", ctx.Err()
			}
			return "done", nil
		}}
		err := with(s, c, c.timed, func(ctx context.Context, cc *grpc.ClientConn) { _ = unary(ctx, cc, method) })
		return float64(s.calls.Load()), true, err
	}
}

// unsent counts the attempts of a call to a port where nobody listens. It counts in an interceptor
// below the contender's, which does not see gRPC's own retries, so a service config counts as one.
func unsent(c contender) (float64, bool, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, false, err
	}
	_ = l.Close()
	var n atomic.Int64
	counter := grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		n.Add(1)
		return invoker(ctx, method, req, reply, cc, opts...)
	})
	cc, err := dial(c, l.Addr().String(), counter)
	if err != nil {
		return 0, false, err
	}
	defer cc.Close()
	_ = unary(context.Background(), cc, create)
	return float64(n.Load()), true, nil
}

// pastDeadline measures how long a call takes to return if its next wait would pass its deadline.
func pastDeadline(c contender) (figure float64, ok bool, err error) {
	err = with(failing(nil, errDown), c, c.waiting, func(ctx context.Context, cc *grpc.ClientConn) {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		start := time.Now()
		_ = unary(ctx, cc, get)
		figure = float64(time.Since(start).Milliseconds())
	})
	return figure, true, err
}
