package main

import (
	"time"

	"github.com/seed-205ff063/retry"
)

// attempt is the JSON form of a retry.Attempt. JSON cannot encode its error.
type attempt struct {
	Policy   string    `json:"policy"`
	Number   int       `json:"attempt"`
	Start    time.Time `json:"start"`
	Waited   string    `json:"waited"`
	Duration string    `json:"duration"`
	Elapsed  string    `json:"elapsed"`
	Delay    string    `json:"delay,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// lastAttempts returns the attempts of the history, the newest first. The list is never nil, so its JSON is
// never null.
func lastAttempts(h *retry.History) []attempt {
	all := h.Slice()
	list := make([]attempt, 0, len(all))
	for i := len(all) - 1; i >= 0; i-- {
		list = append(list, toJSON(all[i]))
	}
	return list
}

func toJSON(a retry.Attempt) attempt {
	out := attempt{
		Policy: a.Name, Number: a.Number, Start: a.Start,
		Waited: a.Waited.String(), Duration: a.Duration.String(), Elapsed: a.Elapsed.String(),
	}
	if a.Delay > 0 {
		out.Delay = a.Delay.String()
	}
	if a.Err != nil {
		out.Error = a.Err.Error()
	}
	return out
}
