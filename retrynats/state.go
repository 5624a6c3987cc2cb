package retrynats

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// stateVersion is of the form in which entries are stored.
const stateVersion = 1

// entry is what Config.State holds of a message whose attempts failed.
type entry struct {
	Version int   `json:"v"`
	Stored  int64 `json:"stored"` // when the message was stored, in Unix nanoseconds: its identity beside the sequence

	Attempts  int           `json:"attempts"`  // that were made and count
	Delivered uint64        `json:"delivered"` // the delivery that this was written in
	Lost      bool          `json:"lost,omitempty"`
	Error     string        `json:"error,omitempty"`
	Elapsed   time.Duration `json:"elapsed"` // as of At
	Delay     time.Duration `json:"delay"`   // the wait from At on
	At        int64         `json:"at"`      // Unix nanoseconds

	// End is why the message was given up, where its dead letter could not be stored yet.
	End string `json:"end,omitempty"`

	own bool // this delivery made the last attempt
}

var (
	errNotState   = errors.New("it is not an entry of retrynats")
	errOtherState = errors.New("it is of another message with this sequence")
)

// decode reads an entry of the message that was stored at that time.
func decode(data []byte, stored int64) (entry, error) {
	var e entry
	if err := json.Unmarshal(data, &e); err != nil {
		return entry{}, errNotState // the error's text may show data
	}
	switch {
	case e.Version == 0:
		return entry{}, errNotState
	case e.Version != stateVersion:
		return entry{}, fmt.Errorf("its version is %d, not %d", e.Version, stateVersion)
	case e.Stored != stored:
		return entry{}, errOtherState
	case e.Attempts < 0, e.Elapsed < 0, e.Delay < 0, e.At <= 0:
		return entry{}, errNotState
	}
	return e, nil
}

func (e *entry) encode() []byte {
	e.Version = stateVersion
	data, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and numbers
	}
	return data
}

// due is when the attempt that follows may begin.
func (e *entry) due() time.Time { return time.Unix(0, e.At).Add(e.Delay) }

// late is how long after that now is.
func (e *entry) late(now time.Time) time.Duration { return max(now.Sub(e.due()), 0) }

// lost is how many deliveries before the one with that number ended without a trace. The server
// may have forgotten some, so that it is lower than what was written before.
func (e *entry) lost(delivered uint64) int {
	if delivered == 0 || delivered-1 <= e.Delivered {
		return 0
	}
	return int(min(delivered-1-e.Delivered, 1<<30))
}

// merge joins what another worker stored of the same message while this one worked on it.
func (e *entry) merge(other entry) {
	delivered := max(e.Delivered, other.Delivered)
	switch {
	case !e.own && other.Attempts >= e.Attempts, // it knows more
		e.own && other.Delivered > e.Delivered: // and has counted this attempt, as a lost one
		*e = other
	case e.own && other.Lost: // it took this attempt for lost
		e.Attempts = max(e.Attempts, other.Attempts)
	case e.own && other.At != e.At: // the server forgot the delivery that it was written in
		e.Attempts = max(e.Attempts, other.Attempts+1)
	}
	e.Delivered = delivered
}
