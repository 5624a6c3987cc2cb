package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// calmRow is what a client costs when nothing fails.
type calmRow struct {
	contender contender

	perRequest time.Duration // over the loopback interface, one after the other
	ratio      float64       // perRequest divided by the plain client's
	bare       time.Duration // time of a request without a network
	get, post  float64       // allocations of a request without a network
}

// measureCalm lets the clients take turns. Each sends a batch of requests in its turn, so that a slow
// spell of the machine hits all of them.
func measureCalm(s settings) ([]calmRow, error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "done\n")
	}))
	defer server.Close()
	base := newTransport(1, 0)
	defer base.CloseIdleConnections()

	rows := []calmRow{{contender: plain}, {contender: ours}, {contender: oursTimed}, {contender: hashicorp}, {contender: failsafe}}
	clients := make([]*http.Client, len(rows))
	stubbed := make([]*http.Client, len(rows))
	for i, row := range rows {
		clients[i] = row.contender.client(base)
		stubbed[i] = row.contender.client(stub{})
	}
	times := make([][]float64, len(rows))
	ratios := make([][]float64, len(rows))
	bare := make([][]float64, len(rows))
	for n := range s.batches {
		turn := make([]float64, len(rows))
		for k := range rows {
			i := (k + n) % len(rows) // each client is the first in some turns
			took, err := timeBatch(clients[i], server.URL, s.batch)
			if err != nil {
				return nil, err
			}
			turn[i] = took
			times[i] = append(times[i], took)
			if took, err = timeBatch(stubbed[i], server.URL, s.batch); err != nil {
				return nil, err
			}
			bare[i] = append(bare[i], took)
		}
		for i := range rows {
			ratios[i] = append(ratios[i], turn[i]/turn[0])
		}
	}
	for i := range rows {
		rows[i].perRequest, rows[i].ratio = time.Duration(median(times[i])), median(ratios[i])
		rows[i].bare = time.Duration(median(bare[i]))
		rows[i].get = allocs(stubbed[i], http.MethodGet)
		rows[i].post = allocs(stubbed[i], http.MethodPost)
	}
	return rows, nil
}

// timeBatch sends n requests and returns the nanoseconds that one takes.
func timeBatch(client *http.Client, url string, n int) (float64, error) {
	start := time.Now()
	for range n {
		resp, err := client.Get(url)
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err != nil {
			return 0, err
		}
		_ = resp.Body.Close()
	}
	return float64(time.Since(start).Nanoseconds()) / float64(n), nil
}

// allocs counts the allocations of a request, including http.NewRequest.
func allocs(client *http.Client, method string) float64 {
	return testing.AllocsPerRun(1000, func() {
		var body io.Reader
		if method == http.MethodPost {
			body = strings.NewReader("an order")
		}
		req, err := http.NewRequest(method, "http://shop.test/orders", body)
		if err != nil {
			panic(err) // impossible: the arguments are constants
		}
		if resp, err := client.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	})
}

// stub answers at once, without a network, so that only the client's own cost is measured.
type stub struct{}

func (stub) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody, Request: req,
	}, nil
}
