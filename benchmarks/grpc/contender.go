package main

import (
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/failsafegrpc"
	peer "github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/retry"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// contender is a way to retry. All make at most 4 attempts and wait 1 ms between them. Some wait as long
// as the server asks instead.
type contender struct {
	name    string
	path    string // the module, if it is not ours
	ours    bool
	streams bool // it retries streams
	options []grpc.DialOption
	timed   []grpc.DialOption // the same with a timeout for each attempt; nil if it has no such feature
	waiting []grpc.DialOption // the same with waits of 10 s
}

const (
	attempts       = 4
	wait           = time.Millisecond
	attemptTimeout = 100 * time.Millisecond
	longWait       = 10 * time.Second
)

func contenders() []contender {
	return []contender{plain(), ours(), middleware(), failsafeGRPC(), serviceConfig()}
}

func plain() contender {
	return contender{name: "gRPC without retries", options: []grpc.DialOption{grpc.WithDisableRetry()}}
}

func ours() contender {
	dial := func(d time.Duration, opts ...retry.Option) []grpc.DialOption {
		return retrygrpc.DialOptions(append(opts, retry.WithMaxAttempts(attempts), retry.WithBackoff(retry.Constant(d)))...)
	}
	return contender{
		name: "retrygrpc", ours: true, streams: true,
		options: dial(wait), timed: dial(wait, retry.WithAttemptTimeout(attemptTimeout)), waiting: dial(longWait),
	}
}

func middleware() contender {
	dial := func(d time.Duration, opts ...peer.CallOption) []grpc.DialOption {
		opts = append(opts, peer.WithMax(attempts), peer.WithBackoff(peer.BackoffLinear(d)))
		return []grpc.DialOption{
			grpc.WithDisableRetry(),
			grpc.WithUnaryInterceptor(peer.UnaryClientInterceptor(opts...)),
			grpc.WithStreamInterceptor(peer.StreamClientInterceptor(opts...)),
		}
	}
	return contender{
		name: "go-grpc-middleware", path: "github.com/grpc-ecosystem/go-grpc-middleware/v2", streams: true,
		options: dial(wait), timed: dial(wait, peer.WithPerRetryTimeout(attemptTimeout)), waiting: dial(longWait),
	}
}

// failsafeGRPC has an interceptor for unary calls only.
func failsafeGRPC() contender {
	type reply = *wrapperspb.StringValue
	dial := func(d time.Duration, outer ...failsafe.Policy[reply]) []grpc.DialOption {
		policy := failsafegrpc.NewRetryPolicyBuilder[reply]().WithMaxAttempts(attempts).WithDelay(d).Build()
		return []grpc.DialOption{
			grpc.WithDisableRetry(),
			grpc.WithUnaryInterceptor(failsafegrpc.NewUnaryClientInterceptor(append([]failsafe.Policy[reply]{policy}, outer...)...)),
		}
	}
	return contender{
		name: "failsafegrpc", path: "github.com/failsafe-go/failsafe-go",
		options: dial(wait), timed: dial(wait, timeoutPolicy[reply]()), waiting: dial(longWait),
	}
}

// serviceConfig is gRPC's own way to retry. The config is for all methods, whether they are idempotent
// or not.
func serviceConfig() contender {
	dial := func(d string) []grpc.DialOption {
		return []grpc.DialOption{grpc.WithDefaultServiceConfig(`{"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":4,
			"initialBackoff":"` + d + `","maxBackoff":"` + d + `","backoffMultiplier":1,
			"retryableStatusCodes":["UNAVAILABLE","RESOURCE_EXHAUSTED"]}}]}`)}
	}
	return contender{name: "service config", path: "google.golang.org/grpc", streams: true, options: dial("0.001s"), waiting: dial("10s")}
}
