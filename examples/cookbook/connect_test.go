package cookbook

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// connectClient returns the client to give to a generated constructor, and an option that goes with it.
func connectClient(policy *retry.Policy) (*http.Client, connect.ClientOption) {
	return &http.Client{Transport: &retryhttp.Transport{Policy: policy}}, connect.WithInterceptors(idempotencyKey())
}

// idempotencyKey marks requests of procedures that may be processed twice, as their
// idempotency_level in the .proto file says. Connect does not send the level.
func idempotencyKey() connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			if req.Spec().IdempotencyLevel != connect.IdempotencyUnknown {
				req.Header().Set("Idempotency-Key", rand.Text())
			}
			return next(ctx, req)
		}
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	const procedure = "/test.v1.Service/Call"
	unavailable := connect.NewError(connect.CodeUnavailable, errors.New("down"))
	exhausted := connect.NewError(connect.CodeResourceExhausted, errors.New("slow down"))
	for name, row := range map[string]struct {
		level connect.IdempotencyLevel
		get   bool
		fail  error
		calls int
		code  connect.Code // 0: success
	}{
		"unavailable, no level":     {fail: unavailable, calls: 1, code: connect.CodeUnavailable},
		"unavailable, idempotent":   {level: connect.IdempotencyIdempotent, fail: unavailable, calls: 3},
		"unavailable, GET":          {level: connect.IdempotencyNoSideEffects, get: true, fail: unavailable, calls: 3},
		"exhausted, no level":       {fail: exhausted, calls: 3},
		"invalid, idempotent":       {level: connect.IdempotencyIdempotent, fail: connect.NewError(connect.CodeInvalidArgument, nil), calls: 1, code: connect.CodeInvalidArgument},
		"not found, no side effect": {level: connect.IdempotencyNoSideEffects, fail: connect.NewError(connect.CodeNotFound, nil), calls: 1, code: connect.CodeNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			mux := http.NewServeMux()
			mux.Handle(procedure, connect.NewUnaryHandler(procedure, func(context.Context, *connect.Request[emptypb.Empty]) (*connect.Response[emptypb.Empty], error) {
				if calls++; calls < 3 {
					return nil, row.fail
				}
				return connect.NewResponse(&emptypb.Empty{}), nil
			}, connect.WithIdempotency(row.level)))
			server := httptest.NewServer(mux)
			defer server.Close()

			httpClient, option := connectClient(retry.MustNew(retry.WithBackoff(retry.Constant(time.Millisecond))))
			options := []connect.ClientOption{option, connect.WithIdempotency(row.level)}
			if row.get {
				options = append(options, connect.WithHTTPGet())
			}
			client := connect.NewClient[emptypb.Empty, emptypb.Empty](httpClient, server.URL+procedure, options...)
			_, err := client.CallUnary(t.Context(), connect.NewRequest(&emptypb.Empty{}))
			assert.Equal(t, row.calls, calls)
			if row.code == 0 {
				assert.NoError(t, err)
			} else {
				assert.Equal(t, row.code, connect.CodeOf(err))
			}
		})
	}
}
