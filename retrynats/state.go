package retrynats

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// stateVersion is the version of stored entries.
const stateVersion = 1

// entry is stored in Config.State for a message with failed attempts.
type entry struct {
	Version int   `json:"v"`
	Stored  int64 `json:"stored"` // when the message was stored, in Unix nanoseconds; identifies it beside the sequence

	Attempts  int           `json:"attempts"`       // attempts that count
	Delivered uint64        `json:"delivered"`      // the delivery in which this was written
	Lost      bool          `json:"lost,omitempty"` // the last attempt was lost
	Error     string        `json:"error,omitempty"`
	Elapsed   time.Duration `json:"elapsed"` // as of At
	Delay     time.Duration `json:"delay"`   // the wait from At on
	At        int64         `json:"at"`      // Unix nanoseconds

	// End is why the message ended, if its dead letter could not be stored yet.
	End string `json:"end,omitempty"`

	own bool // this delivery made the last attempt
}

var (
	errNotState   = errors.New("it is not an entry of retrynats")
	errOtherState = errors.New("it belongs to another message with this sequence")
)

// decode reads an entry of the message that was stored at the given time.
func decode(data []byte, stored int64) (entry, error) {
	var e entry
	if err := json.Unmarshal(data, &e); err != nil {
		return entry{}, errNotState // the text of err may contain data
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

// encode returns the entry as JSON.
func (e *entry) encode() []byte {
	e.Version = stateVersion
	data, err := json.Marshal(e)
	if err != nil {
		panic(err) // cannot happen: strings and numbers
	}
	return data
}

// due returns when the next attempt may begin.
func (e *entry) due() time.Time { return time.Unix(0, e.At).Add(e.Delay) }

// late returns how long ago the next attempt was due.
func (e *entry) late(now time.Time) time.Duration { return max(now.Sub(e.due()), 0) }

// lostBefore returns how many deliveries between the stored one and the given one left no record. The
// given number may be lower than the stored one, because the server may have forgotten deliveries.
func (e *entry) lostBefore(delivered uint64) int {
	if delivered == 0 || delivered-1 <= e.Delivered {
		return 0
	}
	return int(min(delivered-1-e.Delivered, 1<<30))
}

// merge adds what another worker stored for the same message in the meantime.
func (e *entry) merge(other entry) {
	delivered := max(e.Delivered, other.Delivered)
	switch {
	case !e.own && other.Attempts >= e.Attempts, // the other entry has at least as many attempts
		e.own && other.Delivered > e.Delivered: // the other counts this attempt as lost
		*e = other
	case e.own && other.Lost: // the other counts this attempt as lost
		e.Attempts = max(e.Attempts, other.Attempts)
	case e.own && other.At != e.At: // the server forgot the delivery of the other
		e.Attempts = max(e.Attempts, other.Attempts+1)
	}
	e.Delivered = delivered
}
