package main

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

var (
	get  = request(http.MethodGet, "")
	put  = request(http.MethodPut, "a document")
	post = request(http.MethodPost, "an order")
)

func statuses() []scenario {
	withBudget := func(t *retryhttp.Transport) { t.HostBudget = retryhttp.HostBudgets(0.1, 3) }
	withKeys := func(t *retryhttp.Transport) { t.AddIdempotencyKey = true }
	return []scenario{
		{request: "GET", send: get, answers: []answer{status(503), ok}},
		{request: "PUT", send: put, answers: []answer{status(408), status(500), status(502), status(504), ok}},
		{request: "GET", send: get, answers: []answer{status(503)}},
		{request: "GET", send: get, answers: []answer{status(404)}},
		{request: "GET", send: get, answers: []answer{status(501)}},
		{request: "POST", send: post, answers: []answer{status(503), ok}},
		{request: "POST", send: post, answers: []answer{status(429), ok}},
		{request: "POST", send: post, answers: []answer{status(421), status(425), ok}},
		{
			request: "POST, Idempotency-Key", answers: sameKey(),
			send: request(http.MethodPost, "an order", "Idempotency-Key", "order 17"),
		},
		{request: "POST, AddIdempotencyKey", send: post, transport: withKeys, answers: sameKey()},
		{request: "10 × GET", send: times(10, get), answers: []answer{status(503)}},
		{request: "10 × GET, HostBudgets(0.1, 3)", send: times(10, get), transport: withBudget, answers: []answer{status(503)}},
	}
}

func hints() []scenario {
	return []scenario{
		{request: "GET", send: get, answers: []answer{busy("1"), ok}},
		{request: "GET, MaxRetryAfter 1 m", send: get, answers: []answer{busy("3600"), ok}},
		{request: "GET, deadline in 5 s", send: within(5*time.Second, get), answers: []answer{busy("30"), ok}},
		{request: "GET", send: get, answers: []answer{busy("soon"), ok}},
	}
}

func bodies() []scenario {
	buffered := func(t *retryhttp.Transport) { t.MaxBodyBuffer = 1 << 10 }
	return []scenario{
		{request: "PUT a stream", send: putStream(), answers: []answer{status(503), ok}},
		{request: "PUT a stream, MaxBodyBuffer", send: putStream(), transport: buffered, answers: []answer{status(503), ok}},
		{
			request: "PUT a stream, Expect", answers: []answer{status(503), ok},
			send: putStream("Expect", "100-continue"),
		},
		{request: "PUT a stream", send: putStream(), refuse: 1, answers: []answer{ok}},
		{request: "GET", send: get, answers: []answer{unavailable(16 << 10), ok}},
		{request: "GET", send: get, answers: []answer{unavailable(1 << 20), ok}},
		{request: "GET", send: get, answers: []answer{trickling, ok}},
		{request: "GET, read by the caller", send: get, answers: []answer{truncated, complete}},
		{request: "GET, read by retryhttp.Do", send: decoded, answers: []answer{truncated, complete}},
	}
}

func failures() []scenario {
	attemptTimeout := []retry.Option{retry.WithAttemptTimeout(200 * time.Millisecond)}
	return []scenario{
		{request: "POST", send: post, refuse: 2, answers: []answer{ok}},
		{request: "POST", send: post, names: noService(), answers: []answer{ok}},
		{request: "POST", send: post, tls: new(tls.Config), connFaults: []connFault{closedConn}, answers: []answer{ok}},
		{request: "GET", send: get, answers: []answer{closed, ok}},
		{request: "POST", send: post, answers: []answer{closed, ok}},
		{request: "GET", send: get, answers: []answer{reset, ok}},
		{request: "POST", send: post, answers: []answer{reset, ok}},
		{request: "GET, attempts of 200 ms", send: get, options: attemptTimeout, answers: []answer{noAnswer, ok}},
		{request: "POST, attempts of 200 ms", send: post, options: attemptTimeout, answers: []answer{noAnswer, ok}},
		{
			request: "POST, attempts of 200 ms", send: post, options: attemptTimeout, answers: []answer{ok},
			tls: new(tls.Config), connFaults: []connFault{silentConn},
		},
	}
}

func permanentErrors() []scenario {
	noRootCAs := func(t *http.Transport) { t.TLSClientConfig.RootCAs = nil }
	oldTLS := func(t *http.Transport) { t.TLSClientConfig.MaxVersion = tls.VersionTLS12 }
	return []scenario{
		{request: "GET", send: get, names: noSuchName(), answers: []answer{ok}},
		{request: "GET, without the CA", send: get, base: noRootCAs, tls: new(tls.Config), answers: []answer{ok}},
		{
			request: "GET, TLS 1.2 at most", send: get, base: oldTLS, answers: []answer{ok},
			tls: &tls.Config{MinVersion: tls.VersionTLS13},
		},
		{request: "GET https:", send: otherScheme("https", get), answers: []answer{ok}},
		{request: "GET gopher:", send: otherScheme("gopher", get), answers: []answer{ok}},
		{request: "PUT, wrong Content-Length", send: wrongLength, answers: []answer{ok}},
		{request: "PUT, broken reader", send: brokenReader, answers: []answer{ok}},
		{request: "GET by retryhttp.Do", send: decoded, answers: []answer{redirectLoop}},
		{request: "GET, deadline in 200 ms", send: within(200*time.Millisecond, get), answers: []answer{noAnswer}},
	}
}
