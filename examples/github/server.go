package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"
)

const (
	perWindow  = 25                     // requests
	window     = 2 * time.Second        // until the primary limit is reset
	secondary  = 40                     // number of the request that meets the secondary limit
	underWay   = 250 * time.Millisecond // longest time that a request may be on its way
	serverWork = 2 * time.Millisecond
)

// server is an API with a primary and a secondary limit.
type server struct {
	*httptest.Server

	mu        sync.Mutex
	remaining int
	reset     time.Time
	pause     time.Time // the end of the secondary limit's pause
	refusedAt time.Time // first refusal of the current pause
	count     counts
}

// counts is what the server counted.
type counts struct {
	answered int // requests
	refused  int // requests that met a limit
	late     int // refused requests that came after the client had been told to wait
	pauses   int
}

func newServer() *server {
	s := &server{remaining: perWindow}
	s.Server = httptest.NewServer(s)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(serverWork)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case now.Before(s.pause):
		w.Header().Set("Retry-After", "1")
		s.refuse(w, now, "You have exceeded a secondary rate limit.")
	case !s.primary(w, now):
		s.refuse(w, now, "API rate limit exceeded.")
	case s.count.answered+1 == secondary && s.pause.IsZero():
		s.pause = now.Add(time.Second)
		w.Header().Set("Retry-After", "1")
		s.refuse(w, now, "You have exceeded a secondary rate limit.")
	default:
		s.remaining--
		s.count.answered++
		s.refusedAt = time.Time{}
		fmt.Fprint(w, `{"number":1,"title":"an issue"}`)
	}
}

// primary starts a new window if the last one is over, sets the headers, and reports whether any requests
// remain. The server resets its limit at whole seconds.
func (s *server) primary(w http.ResponseWriter, now time.Time) bool {
	if !now.Before(s.reset) {
		s.remaining, s.reset = perWindow, now.Add(window).Truncate(time.Second)
	}
	w.Header().Set("X-Ratelimit-Limit", strconv.Itoa(perWindow))
	w.Header().Set("X-Ratelimit-Remaining", strconv.Itoa(s.remaining))
	w.Header().Set("X-Ratelimit-Reset", strconv.FormatInt(s.reset.Unix(), 10))
	return s.remaining > 0
}

// refuse answers 403. A request is late if it comes well after the first refusal of a pause, because its
// client could have known.
func (s *server) refuse(w http.ResponseWriter, now time.Time, message string) {
	s.count.refused++
	switch {
	case s.refusedAt.IsZero():
		s.refusedAt = now
		s.count.pauses++
	case now.Sub(s.refusedAt) > underWay:
		s.count.late++
	}
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(w, `{"message":%q}`, message)
}

// counts returns the counts so far.
func (s *server) counts() counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}
