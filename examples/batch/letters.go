package main

import (
	"encoding/csv"
	"os"
	"strconv"
)

// letters is the file of dead letters. What is in it stays: another run appends to it.
type letters struct {
	file *os.File
	csv  *csv.Writer
}

func newLetters(path string) (*letters, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	l := &letters{file, csv.NewWriter(file)}
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

func (l *letters) add(dead letter) error {
	f := dead.fields
	return l.csv.Write([]string{f[0], f[1], f[2], strconv.Itoa(dead.line), dead.why})
}

// flush writes what was added: before the place to go on from moves behind it.
func (l *letters) flush() error {
	l.csv.Flush()
	return l.csv.Error()
}

func (l *letters) close() error {
	err := l.flush()
	if e := l.file.Close(); err == nil {
		err = e
	}
	return err
}
