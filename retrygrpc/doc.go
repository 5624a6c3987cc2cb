// Package retrygrpc retries gRPC calls where that is safe and worth it: client interceptors for
// unary and streaming calls under a policy of package retry.
//
//	cc, err := grpc.NewClient(target, append(retrygrpc.DialOptions(
//		retry.WithMaxAttempts(4), retry.WithAttemptTimeout(2*time.Second)), creds)...)
//
// # Safety
//
// Safety comes first and always binds. A call may be processed twice if its method is idempotent:
// its idempotency_level in the .proto file is NO_SIDE_EFFECTS or IDEMPOTENT, [Interceptor].IsIdempotent
// says so, or the call has the option [Idempotent]. Any other call is sent again only with proof that
// the server did not process it: the call never got to a transport, or the server says so by a
// pushback or a google.rpc.RetryInfo.
//
// Then the status must be one that another attempt may change:
//
//	status                                             idempotent  others
//	UNAVAILABLE, RESOURCE_EXHAUSTED                    retried     retried with proof
//	DEADLINE_EXCEEDED by the attempt's own timeout     retried     retried with proof
//	RESOURCE_EXHAUSTED, a message above a size limit   fails       fails
//	any status with a pushback that says stop          fails       fails
//	any status once the ClientConn is closed           fails       fails
//	all others, ABORTED, INTERNAL and UNKNOWN too      fails       fails
//
// ABORTED is the caller's transaction to repeat, with [retry.Do] around it and [Codes].
//
// What proves that a call was not processed, and what does not:
//
//	way to fail                                        others
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
// gRPC itself repeats a call once, transparently, that the server refused with GOAWAY or
// REFUSED_STREAM. That stays on and is no attempt of the policy.
//
// # The server's word
//
// The trailer grpc-retry-pushback-ms is obeyed: a number is how long to wait at least, 0 leaves
// the wait to the policy, and a negative number, or what is no number, stops. A RetryInfo's delay
// is obeyed likewise; the longest of several counts. Both permit another attempt of any
// method and make none worth it. A delay above [retry.WithMaxRetryAfter] ends the call at once.
//
// # Streams
//
// A call with one request and a stream of responses is retried until its first message reached
// the caller. After that never: a repeated message is worse than an error. A call with a stream of
// requests is retried only while it is opened. An attempt's timeout is the time to the first message,
// or to open the stream, and the stream outlives it. Errors in mid-stream and io.EOF are untouched.
// Header may be that of an attempt which fails before its first message; the last attempt's counts.
// A stream holds one more goroutine until its first message.
//
// # Attempts
//
// From the second attempt on the metadata x-retry-attempt is its number. Each attempt sends the time
// that is left as its grpc-timeout. The call options Header, Trailer and Peer tell of the last
// attempt, and OnFinish runs once. Under gRPC's own retries (retryPolicy in a service config)
// attempts multiply: [DialOptions] turns those off.
//
// # Errors
//
// A call that fails returns an error for status.Code, status.FromError and status.Convert that
// wraps a [*retry.Error] for errors.Is and errors.As:
//
//	attempts                           status
//	one                                the attempt's, untouched
//	several                            the last attempt's; "(retry: …)" is added to the message
//	none, the context is done          CANCELED or DEADLINE_EXCEEDED
//	cancelled in a wait                CANCELED
//	next wait would pass the deadline  the last attempt's, not DEADLINE_EXCEEDED
//	bad option                         INTERNAL; it matches retry.ErrOption
//
// # Connections
//
// gRPC waits a second, then longer, before it tries again to make a connection that failed. Until
// then each attempt of a call fails at once, so a policy whose waits add up to less ends before the
// server had a chance. Let attempts wait for the connection, with grpc.WaitForReady(true) and an
// attempt timeout; or let the waits add up to more; or begin sooner, with grpc.WithConnectParams.
//
// The package needs grpc 1.78 or later: before, nothing tells that a call got to no transport.
package retrygrpc
