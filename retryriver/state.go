package retryriver

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river/rivertype"
)

const (
	stateKey     = "retryriver" // in a job's metadata
	stateVersion = 1
)

// state is a decision in the job's metadata. River sends it with the statement that ends the attempt.
type state struct {
	Version int           `json:"v"`
	Attempt int           `json:"attempt"`         // River's number of the attempt that was decided on
	Number  int           `json:"number"`          // the policy's number of it; 0 before the first
	Ended   bool          `json:"ended,omitempty"` // the call has ended
	Delay   time.Duration `json:"delay,omitempty"` // the wait after the attempt
	Began   time.Time     `json:"began,omitzero"`  // when the first attempt was fetched, by the database's clock
}

// readState returns the state in the job's metadata. It is zero if there is none. It is zero with an
// error if it cannot be used.
func readState(job *rivertype.JobRow) (state, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(job.Metadata, &all); err != nil || all[stateKey] == nil {
		return state{}, nil // River reports metadata that is not an object
	}
	var s state
	if err := json.Unmarshal(all[stateKey], &s); err != nil {
		return state{}, err
	}
	if err := s.check(job); err != nil {
		return state{}, err
	}
	return s, nil
}

// check returns an error if s cannot be a state of the job.
func (s *state) check(job *rivertype.JobRow) error {
	switch {
	case s.Version != stateVersion:
		return fmt.Errorf("version %d is not %d", s.Version, stateVersion)
	case s.Attempt < 0 || s.Attempt > job.Attempt:
		return fmt.Errorf("attempt %d of a job in attempt %d", s.Attempt, job.Attempt)
	case s.Number < 0 || s.Delay < 0:
		return errors.New("a negative number")
	case s.Number > 0 && s.Began.IsZero():
		return errors.New("no start time")
	}
	return nil
}

// putState sets s in the row in memory, where NextRetry finds it.
func putState(job *rivertype.JobRow, s state) {
	all := map[string]json.RawMessage{}
	_ = json.Unmarshal(job.Metadata, &all)
	if all == nil { // the metadata is null
		all = map[string]json.RawMessage{}
	}
	encoded, _ := json.Marshal(s) //nolint:errchkjson // its times are the clock's, within the years that JSON has
	all[stateKey] = encoded
	job.Metadata, _ = json.Marshal(all) //nolint:errchkjson // what was read as JSON
}
