package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/googleapis/gax-go/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/seed-205ff063/retry"
)

// rpcServer is a gRPC server. It first returns its failures, one a request, and then answers.
type rpcServer struct {
	client healthpb.HealthClient
	conn   *grpc.ClientConn
	server *grpc.Server

	mu       sync.Mutex
	failures []error
	times    []time.Time
}

func newRPCServer(failures ...error) (*rpcServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &rpcServer{failures: failures}
	s.server = grpc.NewServer(grpc.UnaryInterceptor(s.intercept))
	healthpb.RegisterHealthServer(s.server, health.NewServer())
	go s.server.Serve(l)
	s.conn, err = grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	if err != nil {
		s.server.Stop()
		return nil, err
	}
	s.client = healthpb.NewHealthClient(s.conn)
	return s, nil
}

func (s *rpcServer) close() {
	s.conn.Close()
	s.server.Stop()
}

func (s *rpcServer) intercept(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = append(s.times, time.Now())
	if len(s.failures) > 0 {
		err := s.failures[0]
		s.failures = s.failures[1:]
		return nil, err
	}
	return handler(ctx, req)
}

// check makes a call as Google's generated clients do.
func (s *rpcServer) check(ctx context.Context, policy *retry.Policy) error {
	return invoke(ctx, policy, func(ctx context.Context, _ gax.CallSettings) error {
		_, err := s.client.Check(ctx, &healthpb.HealthCheckRequest{})
		return err
	})
}

// busy returns UNAVAILABLE with a hint how long to wait.
func busy(d time.Duration) error {
	s, _ := status.New(codes.Unavailable, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(d)})
	return s.Err()
}

func policyForRPC(opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append([]retry.Option{
		retry.WithMaxAttempts(4),
		retry.WithBackoff(retry.Exponential(10*time.Millisecond, 2)),
		retry.WithRetryIf(unavailable),
	}, opts...)...)
}

// rpc shows gax with a gRPC server that fails in several ways.
func rpc(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== gax")
	for _, row := range []struct {
		name     string
		failures []error
	}{
		{"UNAVAILABLE, then RetryInfo of 150ms", []error{status.Error(codes.Unavailable, "busy"), busy(150 * time.Millisecond)}},
		{"UNAVAILABLE, five times", []error{busy(0), busy(0), busy(0), busy(0), busy(0)}},
		{"INVALID_ARGUMENT", []error{status.Error(codes.InvalidArgument, "no")}},
		{"RetryInfo of an hour", []error{busy(time.Hour)}},
	} {
		s, err := newRPCServer(row.failures...)
		if err != nil {
			return err
		}
		outcome := "done"
		if err := s.check(ctx, policyForRPC()); err != nil {
			outcome = reasonOf(err)
		}
		s.close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintf(w, "%s: %s, %d requests\n", row.name, outcome, len(s.times))
	}
	return nil
}
