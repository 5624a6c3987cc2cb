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
	longest   = 64 << 10 // bytes of a line
)

// row is a payment. Its id is also what the bank tells a repeated one by.
type row struct {
	line   int
	fields []string
	again  int // how often the bank said so

	ID      int    `json:"id"`
	Account string `json:"account"`
	Cents   int64  `json:"cents"`
}

// rowReader reads rows. A row is a line: were one to go on behind the end of a line, then a quotation mark too
// many would have the rest of the file read into memory.
type rowReader struct {
	from   int // the first line that counts
	lines  *bufio.Reader
	fields *csv.Reader
	one    *bytes.Reader // the line that fields reads
	line   int           // the number of the last one read
	bytes  int64         // read
	err    error         // that ended the reading
}

func newRowReader(r io.Reader, from int) *rowReader {
	one := bytes.NewReader(nil)
	s := &rowReader{from: from, lines: bufio.NewReaderSize(r, longest), one: one, fields: csv.NewReader(one)}
	s.fields.FieldsPerRecord = -1
	return s
}

// chunks yields the rows in chunks. Rows that are not valid are their chunk's dead letters.
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
		if s.line == 1 || s.line < s.from || err == nil && len(text) == 0 { // the header, what was done before, nothing
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

var errLong = errors.New("the line is too long")

// read returns the next line. Of one that is too long it returns the beginning, and errLong.
func (s *rowReader) read() ([]byte, error) {
	text, err := s.lines.ReadSlice('\n')
	s.bytes += int64(len(text))
	switch {
	case err == bufio.ErrBufferFull:
		text, err = bytes.Clone(text[:100]), errLong
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

// parse makes a row of a line, and says what is wrong with it.
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
		r.fields = []string{string(text), "", ""} // as it is
		return r, err
	}
	if len(r.fields) < 3 {
		err = fmt.Errorf("%d fields, want id, account, cents", len(r.fields))
		r.fields = append(r.fields, "", "")[:3]
		return r, err
	}
	r.fields = r.fields[:3] // a dead letter's others say why it is one
	return r, r.validate()
}

// validate fills in the values.
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
