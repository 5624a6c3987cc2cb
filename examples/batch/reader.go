package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	chunkRows = 500
	maxLine   = 64 << 10 // bytes of a line
)

// row is a payment. By its id the bank recognizes a row that is sent again.
type row struct {
	line   int
	fields []string
	again  int // how often the bank asked to send it again

	ID      int    `json:"id"`
	Account string `json:"account"`
	Cents   int64  `json:"cents"`
}

// rowReader reads rows. A row is one line. If rows could span lines, a stray quotation mark would make it
// read the rest of the file into memory.
type rowReader struct {
	from   int // first line to send
	lines  *bufio.Reader
	fields *csv.Reader
	one    *bytes.Reader // the text that fields reads
	line   int           // number of the last line that was read
	bytes  int64         // number of bytes that were read
	err    error         // that ended the reading
}

func newRowReader(r io.Reader, from int) *rowReader {
	one := bytes.NewReader(nil)
	s := &rowReader{from: from, lines: bufio.NewReaderSize(r, maxLine), one: one, fields: csv.NewReader(one)}
	s.fields.FieldsPerRecord = -1
	return s
}

// chunks yields the rows in chunks. Invalid rows are dead letters of their chunk.
func (s *rowReader) chunks(yield func(*chunk) bool) {
	c := &chunk{}
	for {
		text, err := s.read()
		if err == io.EOF {
			break
		}
		if err != nil && text == nil {
			s.err = fmt.Errorf("line %d: %w", s.line+1, err)
			break
		}
		if s.line == 1 || s.line < s.from || err == nil && len(text) == 0 { // the header, a line before from, an empty line
			continue
		}
		r, why := s.parse(text, err)
		if why == nil {
			c.pending = append(c.pending, r)
		} else {
			c.refuse(r, why)
		}
		c.last, c.end = s.line, s.bytes
		if len(c.pending)+len(c.refused) == chunkRows {
			if !yield(c) {
				return
			}
			c = &chunk{}
		}
	}
	if len(c.pending)+len(c.refused) > 0 {
		yield(c)
	}
}

var errLineTooLong = errors.New("the line is too long")

// read returns the next line. If that is too long, it returns the beginning and errLineTooLong.
func (s *rowReader) read() ([]byte, error) {
	text, err := s.lines.ReadSlice('\n')
	s.bytes += int64(len(text))
	switch {
	case err == bufio.ErrBufferFull:
		text, err = bytes.Clone(text[:100]), errLineTooLong
		for more := bufio.ErrBufferFull; more == bufio.ErrBufferFull; {
			var rest []byte
			rest, more = s.lines.ReadSlice('\n')
			s.bytes += int64(len(rest))
		}
	case err == io.EOF && len(text) > 0:
		err = nil
	case err != nil:
		return nil, err
	}
	s.line++
	return bytes.TrimRight(text, "\r\n"), err
}

// parse makes a row of a line. Its error says why the row is invalid. An error of read is passed on.
func (s *rowReader) parse(text []byte, err error) (row, error) {
	r := row{line: s.line}
	if err == nil {
		s.one.Reset(text)
		r.fields, err = s.fields.Read()
	}
	if err != nil {
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			err = syntax.Err
		}
		r.fields = []string{string(text), "", ""} // the line as it is
		return r, err
	}
	if len(r.fields) < 3 {
		err = fmt.Errorf("%d fields, want id, account, cents", len(r.fields))
		r.fields = append(r.fields, "", "")[:3]
		return r, err
	}
	r.fields = r.fields[:3] // without the line and the reason of an earlier dead letter
	return r, r.validate()
}

// validate sets the values from the fields.
func (r *row) validate() (err error) {
	if r.ID, err = strconv.Atoi(r.fields[0]); err != nil || r.ID <= 0 {
		return fmt.Errorf("id: %q is not a number above 0", r.fields[0])
	}
	if r.Account = r.fields[1]; strings.TrimSpace(r.Account) == "" {
		return errors.New("account: is empty")
	}
	if r.Cents, err = strconv.ParseInt(r.fields[2], 10, 64); err != nil || r.Cents <= 0 {
		return fmt.Errorf("cents: %q is not a number above 0", r.fields[2])
	}
	return nil
}
