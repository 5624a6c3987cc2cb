package retrynats_test

import (
	"bufio"
	"encoding/json"
	"os"
	"time"
)

// record is a line of the ledger.
type record struct {
	Time    int64         `json:"time"` // in Unix nanoseconds
	Worker  string        `json:"worker"`
	PID     int           `json:"pid"`
	Event   string        `json:"event"` // begin; then stopped, failed, permanent or done; then perhaps wait
	Job     string        `json:"job"`
	Attempt int           `json:"attempt"`
	Delay   time.Duration `json:"delay,omitempty"`
}

// ledger is a file to which all workers append. Each line is a single write, so what a worker has
// written stays when the worker is killed.
type ledger struct {
	file   *os.File
	worker string
}

func openLedger(path, worker string) (*ledger, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &ledger{f, worker}, err
}

func (l *ledger) write(r record) {
	r.Time, r.Worker, r.PID = time.Now().UnixNano(), l.worker, os.Getpid()
	line, err := json.Marshal(r)
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	if err != nil {
		panic(err)
	}
}

// attempt is one run of the handler according to the ledger.
type attempt struct {
	number     int
	pid        int
	begin, end int64  // in Unix nanoseconds; end is 0 if it was lost
	result     string // empty if it was lost
	delay      time.Duration
}

// readLedger returns the attempts of each job in the order in which they began.
func readLedger(path string) (map[string][]*attempt, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := map[string][]*attempt{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		if r.Event == "begin" {
			all[r.Job] = append(all[r.Job], &attempt{number: r.Attempt, pid: r.PID, begin: r.Time})
			continue
		}
		for _, a := range all[r.Job] {
			if a.number != r.Attempt || a.pid != r.PID {
				continue
			}
			if r.Event == "wait" {
				a.delay = r.Delay
			} else if a.end == 0 {
				a.end, a.result = r.Time, r.Event
			}
		}
	}
	return all, lines.Err()
}

// ended returns how many attempts have ended so far, and how many of these in the given process.
func ended(path string, pid int) (n, own int) {
	all, err := readLedger(path)
	if err != nil {
		return 0, 0
	}
	for _, attempts := range all {
		for _, a := range attempts {
			if a.end == 0 {
				continue
			}
			n++
			if a.pid == pid {
				own++
			}
		}
	}
	return n, own
}
