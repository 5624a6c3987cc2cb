// Package page serves a web page on which you can try policies. It has the files of the page and
// a small API that runs the models.
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

// The limits of a request. They are lower than those of the commands.
const (
	maxPolicies   = 4
	maxPolicyText = 1000
	maxClients    = 200_000
	maxRetries    = 50
	maxTrials     = 50
	maxCalls      = 300_000
	maxOCCClients = 200
	minWidth      = 280
	maxWidth      = 1200
	maxHeader     = 32 << 10
	runTime       = 30 * time.Second
	readTime      = 5 * time.Second
	idleTime      = time.Minute
)

// Server returns a server for the page. With loopbackOnly it answers only requests whose Host is
// a loopback address. Other web sites then cannot reach it under a domain name of theirs (DNS
// rebinding).
func Server(loopbackOnly bool) *http.Server {
	handler := withSecurityHeaders(routes(runTime))
	if loopbackOnly {
		handler = onlyLoopback(handler)
	}
	return &http.Server{
		Handler: handler, MaxHeaderBytes: maxHeader,
		ReadTimeout: readTime, ReadHeaderTimeout: readTime, IdleTimeout: idleTime,
		WriteTimeout: runTime + readTime,
	}
}

// routes returns the handler of all paths. A simulation may take as long as limit.
func routes(limit time.Duration) http.Handler {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(static))
	a := api{limit: limit, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	mux.HandleFunc("GET /api/check", a.check)
	mux.HandleFunc("GET /api/run", a.run)
	return mux
}

// withSecurityHeaders allows the page to load nothing but its own files.
func withSecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// onlyLoopback rejects requests whose Host is not a loopback address.
func onlyLoopback(next http.Handler) http.Handler {
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
