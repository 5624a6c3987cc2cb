package main

import (
	"encoding/json"
	"math/bits"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
)

// How often the bank fails: one of so many rows by id, or one of so many requests.
const (
	unknown = 5_000  // rows: the account is unknown
	locked  = 50_000 // rows: the account is locked in every attempt
	busy    = 1_000  // rows: the account is busy in the first attempt
	down    = 7      // requests: the bank answers 503
	lost    = 11     // requests: the bank pays, but the reply is lost
)

// bank is a server that fails at times.
type bank struct {
	url      string
	close    func()
	requests atomic.Int64
	outage   atomic.Int64 // status of all replies, unless it is 0

	mu    sync.Mutex
	paid  set
	asked set // rows of busy accounts that were sent before
}

func newBank() *bank {
	b := &bank{}
	server := httptest.NewServer(b)
	b.url, b.close = server.URL, server.Close
	return b
}

func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := b.requests.Add(1)
	if status := b.outage.Load(); status != 0 {
		w.WriteHeader(int(status))
		return
	}
	if n%down == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var rows []row
	if err := json.NewDecoder(r.Body).Decode(&rows); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	a := b.pay(rows)
	if n%lost == 0 {
		panic(http.ErrAbortHandler)
	}
	_ = json.NewEncoder(w).Encode(a)
}

func (b *bank) pay(rows []row) (a answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range rows {
		switch {
		case r.ID%unknown == 77:
			if a.Refused == nil {
				a.Refused = map[int]string{}
			}
			a.Refused[r.ID] = "unknown account"
		case r.ID%locked == 5, r.ID%busy == 13 && b.asked.add(r.ID):
			a.Again = append(a.Again, r.ID)
		default:
			b.paid.add(r.ID) // a row that was paid before is not paid again
		}
	}
	return a
}

// payments returns how many rows were paid.
func (b *bank) payments() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.paid.len()
}

// set is a set of numbers with one bit each. A map of all rows would exceed the memory limit.
type set []uint64

// add reports whether n was not in the set.
func (s *set) add(n int) bool {
	for n/64 >= len(*s) {
		*s = append(*s, 0)
	}
	word, bit := &(*s)[n/64], uint64(1)<<(n%64)
	fresh := *word&bit == 0
	*word |= bit
	return fresh
}

func (s *set) len() (n int) {
	for _, word := range *s {
		n += bits.OnesCount64(word)
	}
	return n
}
