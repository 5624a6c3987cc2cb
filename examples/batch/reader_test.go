package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A very long line or a stray quotation mark does not read more than a line into memory.
func TestRowReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3*maxLine)
	s := newRowReader(strings.NewReader("id,account,cents\n1,a,1\n"+long+"\n\n2,\"b\nc\",2\r\n3,d,3"), 0)
	var got []*chunk
	s.chunks(func(c *chunk) bool { got = append(got, c); return true })
	require.NoError(t, s.err)
	require.Len(t, got, 1)
	c := got[0]
	require.Len(t, c.pending, 2)
	assert.Equal(t, row{line: 2, fields: []string{"1", "a", "1"}, ID: 1, Account: "a", Cents: 1}, c.pending[0])
	assert.Equal(t, 7, c.pending[1].line)
	require.Len(t, c.refused, 3)
	assert.Equal(t, errLineTooLong.Error(), c.refused[0].why)
	assert.Len(t, c.refused[0].fields[0], 100)
	assert.Equal(t, 5, c.refused[1].line)
	assert.Equal(t, 6, c.refused[2].line)
	assert.Equal(t, 7, c.last)
	assert.EqualValues(t, 17+6+len(long)+2+len("2,\"b\nc\",2\r\n3,d,3"), c.end)

	bad := errors.New("the disk is gone")
	s = newRowReader(&failing{strings.NewReader("id,account,cents\n1,a,1\n"), bad}, 0)
	n := 0
	s.chunks(func(*chunk) bool { n++; return true })
	require.ErrorIs(t, s.err, bad)
	require.EqualError(t, s.err, "line 3: the disk is gone")
	assert.Equal(t, 1, n)
}

type failing struct {
	r   *strings.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	if f.r.Len() == 0 {
		return 0, f.err
	}
	return f.r.Read(b)
}
