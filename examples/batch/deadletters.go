package main

import (
	"encoding/csv"
	"os"
	"strconv"
)

// deadLetters is the file of dead letters. Each run appends to it.
type deadLetters struct {
	file *os.File
	csv  *csv.Writer
}

func newDeadLetters(path string) (*deadLetters, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	l := &deadLetters{file, csv.NewWriter(file)}
	info, err := file.Stat()
	if err == nil && info.Size() == 0 {
		err = l.csv.Write([]string{"id", "account", "cents", "line", "why"})
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return l, nil
}

func (l *deadLetters) add(dead deadLetter) error {
	f := dead.fields
	return l.csv.Write([]string{f[0], f[1], f[2], strconv.Itoa(dead.line), dead.why})
}

// flush writes to the file what was added. It must be called before the place to go on from moves on.
func (l *deadLetters) flush() error {
	l.csv.Flush()
	return l.csv.Error()
}

func (l *deadLetters) close() error {
	err := l.flush()
	if e := l.file.Close(); err == nil {
		err = e
	}
	return err
}
