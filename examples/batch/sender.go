package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/seed-205ff063/retry"
)

// sender sends chunks to the bank.
type sender struct {
	url    string
	client http.Client
}

// answer is the bank's answer: the rows that it did not take.
type answer struct {
	Again   []int          `json:"again,omitempty"`   // ids of rows to send again
	Refused map[int]string `json:"refused,omitempty"` // reasons by id
}

// send makes one attempt. It removes from the chunk the rows that are settled, so the next attempt sends
// only the rest.
func (s *sender) send(ctx context.Context, c *chunk) (*chunk, error) {
	if len(c.pending) == 0 {
		return c, nil
	}
	a, err := s.post(ctx, c.pending)
	if err != nil {
		return c, err
	}
	again := make(map[int]bool, len(a.Again))
	for _, id := range a.Again {
		again[id] = true
	}
	var rest []row
	for _, r := range c.pending {
		switch why, refused := a.Refused[r.ID]; {
		case refused:
			c.refused = append(c.refused, deadLetter{r, why})
		case again[r.ID]:
			if r.again++; r.again == maxSends {
				c.refuse(r, errNeverTaken)
			} else {
				rest = append(rest, r)
			}
		default:
			c.sent++
		}
	}
	if c.pending = rest; len(rest) > 0 {
		return c, errIncomplete
	}
	return c, nil
}

func (s *sender) post(ctx context.Context, rows []row) (a answer, err error) {
	body, err := json.Marshal(rows)
	if err != nil {
		return a, retry.Permanent(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return a, retry.Permanent(err)
	}
	// The bank recognizes rows by their ids, so the request may be repeated. net/http would repeat it
	// after some failures if it knew. It is not told, because the policy makes the attempts.
	response, err := s.client.Do(request)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return a, json.NewDecoder(response.Body).Decode(&a)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		_, _ = io.CopyN(io.Discard, response.Body, 4<<10)
		return a, fmt.Errorf("the bank: %s", response.Status)
	}
	return a, retry.Permanent(fmt.Errorf("the bank: %s", response.Status))
}
