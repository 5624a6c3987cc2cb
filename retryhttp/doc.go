// Package retryhttp retries HTTP requests where that is safe and worth it, on the standard
// library alone.
//
// Most callers should use [Do], which sends a request, checks the status and decodes the
// response in each attempt, so that a body that breaks off is retried too:
//
//	user, err := retryhttp.Do(client, req, func(resp *http.Response) (u User, err error) {
//		if err := retryhttp.Check(resp); err != nil {
//			return u, err // a *StatusError: "GET api.example.com: 404 Not Found"
//		}
//		return u, json.NewDecoder(resp.Body).Decode(&u)
//	})
//
// For a client that exists, or that other code is given, use [Transport], an
// http.RoundTripper around another one:
//
//	client, err := retryhttp.NewClient(retry.WithMaxAttempts(4), retry.WithAttemptTimeout(10*time.Second))
//	resp, err := client.Get(url) // the retries have finished
//
// # What is retried
//
// Safety comes first and always binds. A request may be processed twice if it is idempotent:
// its method is GET, HEAD, OPTIONS, TRACE, PUT or DELETE (RFC 9110, section 9.2.2), or it has
// an Idempotency-Key or X-Idempotency-Key header. Any other request is sent again only on
// proof that it was not processed; otherwise the error says "not sent again: POST without an
// Idempotency-Key". Its body must be there once more: the request has none, it has GetBody, or
// nothing of the stream was read.
//
// Then the outcome must be one that another attempt may change:
//
//	status                                        idempotent   others
//	408 500 502 503 504 529                       retried      returned
//	421 425 429                                   retried      retried: refused before processing
//	403 with Retry-After or a used up rate limit  retried      retried: refused before processing
//	400–599 with X-Should-Retry: true             retried      as without it
//	any with X-Should-Retry: false                returned     returned
//	all other statuses                            returned     returned
//
//	error                                        idempotent   others
//	no connection: DNS, dial, TLS handshake      retried      retried
//	HTTP/2 REFUSED_STREAM                        retried      retried
//	proxy's CONNECT: 408 429 500 502 503 504     retried      retried
//	reset, broken off, closed without an answer  retried      fails
//	timeout of the attempt or the transport      retried      fails, unless without a connection
//	proxy's CONNECT: 401 403 407, other 4xx      fails        fails
//	SOCKS proxy: login or ruleset                fails        fails
//	OAuth2 token refused: 4xx                    fails        fails
//	name not found                               fails        fails
//	certificate, TLS alert, plain HTTP over TLS  fails        fails
//	bad URL, scheme, header or content length    fails        fails
//	redirects exhausted or refused               fails        fails
//	the caller's own body reader failed          fails        fails
//	the caller's context or Request.Cancel ended fails        fails
//
// Stripe-Should-Retry counts as X-Should-Retry does. The policy says how often and how long;
// its own classifiers narrow the tables further.
//
// # Waits and connections
//
// A server's [Hint] (Retry-After-Ms, Retry-After, or the reset of a used up rate limit) is
// obeyed up to retry.WithMaxRetryAfter and the caller's deadline. If it asks for more, the
// response is returned at once.
//
// Between attempts a response is read to its end, up to 64 KiB and 100 ms, so that its
// connection can be used again, and closed. After an attempt timed out without a byte of an
// answer, the next one uses another connection: those to the host that were idle meanwhile are
// closed, HTTP/2 too. An HTTP/2 connection with other streams is closed after a second time-out
// in a row.
//
// # Why a call gave up
//
// A Transport returns the last response unread, whatever its status, with a nil error: that is
// the contract of an http.RoundTripper. Why it gave up is seen in the policy's hooks and log
// (retry.WithHooks, retry.WithLogger). Do returns it, as a *retry.Error that matches the
// *[StatusError]. A failure that is not retried because retrying would be unsafe or pointless
// has the reason retry.ErrPermanent.
//
// Texts of this package have a request's method and host, and no path, query, header or
// password. Those that http.Client adds around them have the URL.
//
// # Beside other layers
//
// A cookie jar belongs to the http.Client, above a Transport: the cookies of a response that was
// retried are not stored, and each attempt sends the same ones. Do is above the client, so there
// each attempt stores and sends its own.
//
// Outside of otelhttp and oauth2 (Transport{Base: otelhttp.NewTransport(nil)}) each attempt has a
// span and a current token of its own, and a failed request for a token is retried. Inside of
// them there is one span for all attempts, and they share one token.
//
// Two layers that retry multiply their attempts. With retry.WithStopIf(retry.AlreadyRetried) the
// outer one makes one attempt, if the inner one is a Transport, also where wrappers between them
// pass on its response.
package retryhttp
