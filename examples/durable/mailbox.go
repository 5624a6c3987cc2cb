package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mailbox is what the workers deliver to: a folder that outlives them. It notes each delivery, and
// knows by its key a mail that it already has.
type mailbox struct{ dir string }

// deliver hands a mail in. One with a key that was there before changes nothing.
func (m mailbox) deliver(key string, job int) error {
	if err := m.note(fmt.Sprintf("%s %d", key, job)); err != nil {
		return err
	}
	_, err := m.once("mail " + key)
	return err
}

// first reports whether nobody has asked for the key before.
func (m mailbox) first(key string) (bool, error) { return m.once("seen " + key) }

// once makes a file of that name and reports whether there was none: the file system sees to it that
// only one process does.
func (m mailbox) once(name string) (bool, error) {
	f, err := os.OpenFile(filepath.Join(m.dir, escape(name)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

// escape makes a name of what may have separators.
func escape(name string) string { return strings.NewReplacer("/", "%2F", ":", "-").Replace(name) }

func (m mailbox) log() string { return filepath.Join(m.dir, "deliveries") }

// note appends a line by one write, which stays whole if the process is killed.
func (m mailbox) note(line string) error {
	f, err := os.OpenFile(m.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

// empty makes the mailbox a new one.
func (m mailbox) empty() error {
	mails, err := filepath.Glob(filepath.Join(m.dir, "mail *"))
	if err != nil {
		return err
	}
	seen, err := filepath.Glob(filepath.Join(m.dir, "seen *"))
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range slices.Concat(mails, seen, []string{m.log()}) {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// mails is how many the mailbox has.
func (m mailbox) mails() (int, error) {
	files, err := filepath.Glob(filepath.Join(m.dir, "mail *"))
	return len(files), err
}

// deliveries is how often each job was handed in.
func (m mailbox) deliveries() (map[string]int, error) {
	f, err := os.Open(m.log())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := map[string]int{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if _, job, ok := strings.Cut(lines.Text(), " "); ok {
			all[job]++
		}
	}
	return all, lines.Err()
}
