// Package page serves the page to play with policies in a browser: the models behind a small
// API, and the files of the page.
package page

import (
	"embed"
	"io/fs"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"
)

//go:embed static
var files embed.FS

// The bounds of a request.
const (
	maxPolicies   = 4
	maxPolicyText = 1000
	maxClients    = 200_000
	maxRetries    = 50
	maxTrials     = 50
	maxCalls      = 300_000
	minWidth      = 280
	maxWidth      = 1200
	maxHeader     = 32 << 10
	runTime       = 30 * time.Second
	readTime      = 5 * time.Second
	idleTime      = time.Minute
)

// Server returns a server of the page. With loopbackOnly it answers only requests that name a
// loopback host, so that no page from elsewhere can reach it through a name of its own.
func Server(loopbackOnly bool) *http.Server {
	handler := secured(routes(runTime))
	if loopbackOnly {
		handler = local(handler)
	}
	return &http.Server{
		Handler: handler, MaxHeaderBytes: maxHeader,
		ReadTimeout: readTime, ReadHeaderTimeout: readTime, IdleTimeout: idleTime,
		WriteTimeout: runTime + readTime,
	}
}

func routes(limit time.Duration) http.Handler {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the folder is in the program
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(static))
	a := api{limit: limit, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	mux.HandleFunc("GET /api/check", a.check)
	mux.HandleFunc("GET /api/run", a.run)
	return mux
}

// secured allows the page its own files and nothing else.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		host = strings.Trim(host, "[]")
		ip := net.ParseIP(host)
		if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "this page answers only at a loopback address", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
