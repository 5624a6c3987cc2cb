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

// mailbox is where the workers deliver to: a folder that outlives them. It notes each delivery. By its key
// it recognizes a mail that it already has.
type mailbox struct{ dir string }

// deliver adds a mail. A second mail with the same key is noted and dropped.
func (m mailbox) deliver(key string, job int) error {
	if err := m.note(fmt.Sprintf("%s %d", key, job)); err != nil {
		return err
	}
	_, err := m.createOnce("mail " + key)
	return err
}

// first reports whether it is the first call with the key, in all processes.
func (m mailbox) first(key string) (bool, error) { return m.createOnce("seen " + key) }

// createOnce creates a file of that name and reports whether there was none. The file system guarantees that
// only one process succeeds.
func (m mailbox) createOnce(name string) (bool, error) {
	f, err := os.OpenFile(filepath.Join(m.dir, escape(name)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

// escape returns a name without separators of paths.
func escape(name string) string { return strings.NewReplacer("/", "%2F", ":", "-").Replace(name) }

func (m mailbox) log() string { return filepath.Join(m.dir, "deliveries") }

// note appends a line with one write, so the line is whole even if the process is killed.
func (m mailbox) note(line string) error {
	f, err := os.OpenFile(m.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

// empty removes all mails and notes.
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

// mails returns how many mails the mailbox has.
func (m mailbox) mails() (int, error) {
	files, err := filepath.Glob(filepath.Join(m.dir, "mail *"))
	return len(files), err
}

// deliveries returns how often each job was delivered.
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
