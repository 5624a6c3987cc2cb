package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
)

// newFlakyServer starts a server on the loopback interface that fails as real ones do.
func newFlakyServer() *httptest.Server {
	var calls atomic.Int64
	mux := http.NewServeMux() // answers 404 for other paths
	mux.HandleFunc("/greeting", func(w http.ResponseWriter, _ *http.Request) {
		switch calls.Add(1) {
		case 1:
			hangUp(w, -1) // orderly: the client reads an end of file
		case 2:
			hangUp(w, 0) // a reset: "connection reset by peer"
		case 3:
			unavailable(w, "1")
		default:
			fmt.Fprint(w, "Hello from a server that had a bad start.")
		}
	})
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) { unavailable(w, "30") })
	return httptest.NewServer(mux)
}

func unavailable(w http.ResponseWriter, retryAfter string) {
	w.Header().Set("Retry-After", retryAfter)
	http.Error(w, "be back soon", http.StatusServiceUnavailable)
}

// hangUp closes the connection instead of answering. With a linger of 0 the client sees a reset.
func hangUp(w http.ResponseWriter, linger int) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the server then closes the connection by itself
	}
	defer conn.Close()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(linger)
	}
}
