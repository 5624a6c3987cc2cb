package retryhttp_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/url"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// Code that calls an http.Client itself uses Check to turn a bad status into an error.
func ExampleCheck() {
	client := &http.Client{Transport: replies(404)}
	resp, err := client.Get("http://api.example/users/7?token=secret")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	err = retryhttp.Check(resp)
	fmt.Println(err)
	fmt.Println("worth another attempt:", retryhttp.Transient(retry.Attempt{Err: err}))
	// Output:
	// GET api.example: 404 Not Found
	// worth another attempt: false
}

// As OnProxyConnectResponse, Check reports the status and the hint of a proxy's answer.
func ExampleCheck_proxy() {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
		return retryhttp.Check(resp)
	}
	client := &http.Client{Transport: &retryhttp.Transport{Base: base}}
	defer client.CloseIdleConnections()

	// This is what net/http calls it with when the proxy is busy.
	connect := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: "api.example:443"}, Host: "api.example:443"}
	busy := &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"2"}}, Request: connect}
	err := base.OnProxyConnectResponse(context.Background(), nil, connect, busy)
	fmt.Println(err)
	// Output: CONNECT api.example:443: 503 Service Unavailable
}
