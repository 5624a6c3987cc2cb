package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// answer is what the server does with a request.
type answer struct {
	name  string
	serve http.HandlerFunc
}

// ok reads the request and answers 200.
var ok = answer{"200", func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // if the client sent Expect: 100-continue, reading asks for the body
	fmt.Fprintln(w, "done")
}}

// status answers with code.
func status(code int) answer {
	return answer{strconv.Itoa(code), func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, http.StatusText(code), code)
	}}
}

// busy answers 503 with a Retry-After of seconds.
func busy(seconds string) answer {
	a := status(http.StatusServiceUnavailable)
	return answer{a.name + " Retry-After: " + seconds, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", seconds)
		a.serve(w, r)
	}}
}

// unavailable answers 503 with a body of the given size.
func unavailable(size int) answer {
	return answer{fmt.Sprintf("503 with %d KiB", size>>10), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, strings.Repeat(".", size))
	}}
}

// trickling answers 503 with a body that never ends: a byte every 10 ms.
var trickling = answer{"503 that trickles", func(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusServiceUnavailable)
	drip := time.NewTicker(10 * time.Millisecond)
	defer drip.Stop()
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, ".")
		_ = http.NewResponseController(w).Flush()
		<-drip.C
	}
}}

// truncated sends half of the bytes that it announces.
var truncated = answer{"200 that breaks off", func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "2000")
	_, _ = io.WriteString(w, strings.Repeat(".", 1000))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // closes the connection
}}

// complete sends all bytes.
var complete = answer{"200", func(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, strings.Repeat(".", 2000))
}}

// noAnswer waits until the client goes away.
var noAnswer = answer{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}

// closed and reset end the connection instead of answering. With a linger of 0 the client sees a reset.
var (
	closed = answer{"closed", func(w http.ResponseWriter, _ *http.Request) { hangUp(w, -1) }}
	reset  = answer{"reset", func(w http.ResponseWriter, _ *http.Request) { hangUp(w, 0) }}
)

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

// redirectLoop redirects to itself.
var redirectLoop = answer{"302 to itself", func(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, r.URL.Path, http.StatusFound)
}}

// sameKey answers 503 and then 200, if the second request has the Idempotency-Key of the first.
func sameKey() []answer {
	var first atomic.Value
	return []answer{
		{"503", func(w http.ResponseWriter, r *http.Request) {
			first.Store(r.Header.Get("Idempotency-Key"))
			w.WriteHeader(http.StatusServiceUnavailable)
		}},
		{"200 for the same key", func(w http.ResponseWriter, r *http.Request) {
			if key := r.Header.Get("Idempotency-Key"); key == "" || key != first.Load() {
				http.Error(w, "another key", http.StatusConflict)
			}
		}},
	}
}
