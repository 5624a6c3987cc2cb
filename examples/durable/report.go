package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// report is what happened to the jobs.
type report struct {
	jobs    int
	once    int
	twice   []string // done twice or more often
	mails   int      // in the mailbox
	letters map[string]deadLetter
	both    []string // done and a dead letter: the work was done but never acknowledged
	missing []string // neither done nor a dead letter
}

func newReport(jobs int, deliveries map[string]int, mails int, letters []deadLetter) *report {
	r := &report{jobs: jobs, mails: mails, letters: map[string]deadLetter{}}
	for _, l := range letters {
		r.letters[l.job] = l
	}
	for i := range jobs {
		job := strconv.Itoa(i + 1)
		n := deliveries[job]
		_, dead := r.letters[job]
		switch {
		case n == 0 && !dead:
			r.missing = append(r.missing, job)
		case n > 0 && dead:
			r.both = append(r.both, job)
		case n == 1:
			r.once++
		case n > 1:
			r.twice = append(r.twice, job)
		}
	}
	return r
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "\ndone once           %d\n", r.once)
	fmt.Fprintf(w, "done twice          %d  the worker died or the server was away before the acknowledgement\n", len(r.twice))
	fmt.Fprintf(w, "in the dead letters %d\n", len(r.letters))
	reasons := map[string][]string{}
	for job, l := range r.letters {
		why := fmt.Sprintf("%s after %d: %s", l.reason, l.attempts, l.err)
		reasons[why] = append(reasons[why], job)
	}
	for _, why := range sorted(reasons) {
		jobs := reasons[why]
		slices.SortFunc(jobs, byNumber)
		fmt.Fprintf(w, "  %s: jobs %v\n", why, jobs)
	}
	fmt.Fprintf(w, "lost                %d\n", len(r.missing))
	fmt.Fprintf(w, "the mailbox has %d mails, each once: it recognizes them by their keys\n", r.mails)
}

// check returns an error if a job is lost, or a mail is missing or there twice.
func (r *report) check() error {
	if len(r.missing) > 0 {
		return fmt.Errorf("jobs %v are lost", r.missing)
	}
	if want := r.once + len(r.twice) + len(r.both); r.mails != want {
		return fmt.Errorf("the mailbox has %d mails, not %d", r.mails, want)
	}
	return nil
}

func sorted(m map[string][]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func byNumber(a, b string) int {
	m, _ := strconv.Atoi(a)
	n, _ := strconv.Atoi(b)
	return cmp.Compare(m, n)
}
