// Package retryhttp retries HTTP requests when a retry is safe and can help. It uses the
// standard library alone.
//
// Most callers should use [Do]. Each attempt sends the request, checks the status and decodes
// the response, so a body that breaks off is retried too:
//
//	user, err := retryhttp.Do(client, req, func(resp *http.Response) (u User, err error) {
//		if err := retryhttp.Check(resp); err != nil {
//			return u, err // a *StatusError: "GET api.example.com: 404 Not Found"
//		}
//		return u, json.NewDecoder(resp.Body).Decode(&u)
//	})
//
// For an existing client, or one that other code uses, there is [Transport], an
// http.RoundTripper around another one:
//
//	client, err := retryhttp.NewClient(retry.WithMaxAttempts(4), retry.WithAttemptTimeout(10*time.Second))
//	resp, err := client.Get(url) // the retries have finished
//
// # What is retried
//
// A retry must be safe. It is safe for an idempotent request, which may be processed twice: its
// method is GET, HEAD, OPTIONS, TRACE, PUT or DELETE (RFC 9110, section 9.2.2), or it has an
// Idempotency-Key or X-Idempotency-Key header. Any other request is sent again only on proof
// that it was not processed. Otherwise the error says "not sent again: POST without an
// Idempotency-Key". A retry also needs the body again: the request has none, it has GetBody, or
// nothing of the stream was read.
//
// The outcome must be one that another attempt may change:
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
// Stripe-Should-Retry works like X-Should-Retry. The policy decides how often and how long to
// retry. Its own classifiers narrow the tables further.
//
// # Waits and connections
//
// A server's [Hint] is obeyed: Retry-After-Ms, Retry-After, or the reset of a used up rate
// limit. If it asks for more than retry.WithMaxRetryAfter or the caller's deadline allows, the
// response is returned at once.
//
// Between attempts a response is read to its end, up to 64 KiB and 100 ms, and closed. This
// lets the next attempt use its connection.
//
// An attempt may time out without a byte of an answer. The next attempt then uses another
// connection, and those to the host that were idle meanwhile are closed, HTTP/2 too. An HTTP/2
// connection with other streams is closed after a second timeout in a row.
//
// # Why a call gave up
//
// Do returns the reason as a *retry.Error that matches the *[StatusError]. A Transport returns
// the last response unread with a nil error, whatever its status: that is the contract of an
// http.RoundTripper. Its reason is in the policy's hooks and log (retry.WithHooks,
// retry.WithLogger). The reason is retry.ErrPermanent if a retry would be unsafe or pointless.
//
// Error texts of this package contain a request's method and host, and no path, query, header
// or password. Texts that http.Client adds around them contain the URL.
//
// # Cookies, tracing and tokens
//
// A Transport is below the client and its cookie jar: the cookies of a retried response are not
// stored, and each attempt sends the same ones. With Do, each attempt stores and sends its own.
//
// A Transport outside of otelhttp and oauth2 (Transport{Base: otelhttp.NewTransport(nil)})
// gives each attempt its own span and a current token, and retries a failed request for a
// token. Inside of them, all attempts share one span and one token.
//
// # Several layers that retry
//
// Two layers that retry multiply their attempts. With retry.WithStopIf(retry.AlreadyRetried)
// the outer layer makes one attempt if the inner one is a Transport. Wrappers between them do
// not matter if they pass on the response.
package retryhttp
