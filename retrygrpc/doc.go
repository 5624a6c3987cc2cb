// Package retrygrpc retries gRPC calls under a policy of package retry. It has client interceptors
// for unary and streaming calls. They retry a call only where that is safe and may help.
//
//	cc, err := grpc.NewClient(target, append(retrygrpc.DialOptions(
//		retry.WithMaxAttempts(4), retry.WithAttemptTimeout(2*time.Second)), creds)...)
//
// Most callers need [DialOptions] alone. An [Interceptor] has settings of its own for what is
// idempotent and which statuses are retried.
//
// # Which calls are retried
//
// An idempotent call may be processed twice. A call is idempotent if one of these says so:
//
//   - its method's idempotency_level in the .proto file, NO_SIDE_EFFECTS or IDEMPOTENT;
//   - [Interceptor].IsIdempotent, in place of the level;
//   - the call option [Idempotent], which wins over both, as [NotIdempotent] does.
//
// Any other call is sent again only with proof that the server did not process it: the call never
// reached a transport, or the server permits a retry, see below.
//
// The status must also be one that another attempt may change:
//
//	status                                             idempotent  others
//	UNAVAILABLE, RESOURCE_EXHAUSTED                    retried     retried with proof
//	DEADLINE_EXCEEDED by the attempt's own timeout     retried     retried with proof
//	RESOURCE_EXHAUSTED, a message above a size limit   fails       fails
//	any status with a pushback that forbids a retry    fails       fails
//	any status once the ClientConn is closed           fails       fails
//	all others, ABORTED, INTERNAL and UNKNOWN too      fails       fails
//
// ABORTED asks the caller to repeat a whole transaction: put [retry.Do] with [Codes] around it.
//
// # What proves that a call was not processed
//
//	failure                                            calls that are not idempotent
//	dial refused, name not found, no addresses, TLS    retried
//	time is up before the connection is ready          retried
//	time is up in the queue for a stream               retried
//	connection lost in the queue for a stream          retried
//	credentials that are unavailable                   retried
//	connection lost after the request was sent         fails
//	server stopped, or its connection too old          fails
//	GOAWAY, RST_STREAM, a proxy's HTTP status          fails, but see below
//	attempt timed out after the request was sent       fails
//
// gRPC itself repeats a call once if the server refused it with GOAWAY or REFUSED_STREAM. This
// transparent retry stays on. The policy does not count it as an attempt.
//
// # Pushback and RetryInfo
//
// A server permits or forbids a retry with the trailer grpc-retry-pushback-ms. A number is the
// shortest wait in milliseconds, and 0 leaves the wait to the policy. Everything else forbids a
// retry: a negative number, a text, several values. A google.rpc.RetryInfo permits a retry after
// its delay, see [RetryInfo]. The longer of both waits counts.
//
// Permission makes a retry safe. It does not change which statuses are retried: ABORTED still fails. A
// wait above [retry.WithMaxRetryAfter] ends the call at once.
//
// # Attempts
//
// A stream of responses is retried until its first message, a stream of requests only while it is
// opened. See [Interceptor.Stream]. Each attempt sends the remaining time as its grpc-timeout. From the
// second attempt on, the metadata x-retry-attempt has the attempt's number. The call options Header,
// Trailer and Peer describe the last attempt. OnFinish runs once. With gRPC's own retries (retryPolicy
// in a service config) the attempts multiply, so [DialOptions] turns those retries off.
//
// # Errors
//
// A call that fails returns an error that status.Code, status.FromError and status.Convert
// understand. It wraps a [*retry.Error] for errors.Is and errors.As:
//
//	attempts                           status
//	one                                the attempt's, unchanged
//	several                            the last attempt's; "(retry: …)" is added to the message
//	none, the context is done          CANCELED or DEADLINE_EXCEEDED
//	cancelled in a wait                CANCELED
//	next wait would pass the deadline  the last attempt's, not DEADLINE_EXCEEDED
//	bad option                         INTERNAL; it matches retry.ErrOption
//
// The package needs grpc 1.78 or later. Earlier versions do not report that a call never reached a
// transport.
package retrygrpc
