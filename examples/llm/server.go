package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// answer is what the server does with one request.
type answer struct {
	status int       // 0 is 200
	header [2]string // name and value
	text   string    // the model's answer
	tokens []string  // of a streamed answer
	broken bool      // the connection is cut after the tokens
	silent bool      // the stream ends after the tokens as if it were complete
}

// server has the APIs of both vendors. It gives its answers in turn and then repeats the last one.
type server struct {
	*httptest.Server

	mu      sync.Mutex
	answers []answer
	prompts []string // the bodies of the requests
	times   []time.Time
}

func newServer(answers ...answer) *server {
	s := &server{answers: answers}
	s.Server = httptest.NewServer(s)
	return s
}

// requests returns the number of requests.
func (s *server) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.prompts)
}

// pause returns the time between the first request and the second.
func (s *server) pause() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.times) < 2 {
		return 0
	}
	return s.times[1].Sub(s.times[0])
}

func (s *server) next(prompt string) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.answers[min(len(s.prompts), len(s.answers)-1)]
	s.prompts = append(s.prompts, prompt)
	s.times = append(s.times, time.Now())
	return a
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a := s.next(string(body))
	if a.header[0] != "" {
		w.Header().Set(a.header[0], a.header[1])
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case a.status != 0:
		w.WriteHeader(a.status)
		fmt.Fprintf(w, `{"type":"error","error":{"type":"some_error","message":"status %d"}}`, a.status)
	case a.tokens != nil || a.broken || a.silent:
		stream(w, a)
	case r.URL.Path == "/v1/messages":
		fmt.Fprintf(w, `{"id":"m","type":"message","role":"assistant","stop_reason":"end_turn","content":[{"type":"text","text":%s}]}`, quoted(a.text))
	default:
		fmt.Fprintf(w, `{"id":"c","object":"chat.completion","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":%s}}]}`, quoted(a.text))
	}
}

func stream(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "text/event-stream")
	chunk := func(token, finish string) {
		fmt.Fprintf(w, "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%s},\"finish_reason\":%s}]}\n\n", quoted(token), finish)
		http.NewResponseController(w).Flush()
	}
	http.NewResponseController(w).Flush()
	for _, token := range a.tokens {
		chunk(token, "null")
	}
	switch {
	case a.broken:
		panic(http.ErrAbortHandler)
	case a.silent:
		return
	}
	chunk("", `"stop"`)
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}
