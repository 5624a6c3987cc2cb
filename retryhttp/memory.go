package retryhttp

import (
	"bytes"
	"io"
	"reflect"
	"strings"
)

// inMemory reports whether body is a plain reader of memory that has length bytes left, any
// number if length is 0. Such a body cannot fail, so no attempt need watch it. net/http knows
// the same types and sends them in one packet with a short header.
func inMemory(body io.Reader, length int64) bool {
	switch t := reflect.TypeOf(body); t {
	case nopCloser, nopCloserWriterTo:
		body, _ = reflect.TypeAssert[io.Reader](reflect.ValueOf(body).Field(0))
	}
	switch r := body.(type) {
	case *bytes.Reader:
		return r != nil && (length == 0 || int64(r.Len()) == length)
	case *bytes.Buffer:
		return r != nil && (length == 0 || int64(r.Len()) == length)
	case *strings.Reader:
		return r != nil && (length == 0 || int64(r.Len()) == length)
	}
	return false
}

// The types that io.NopCloser returns.
var (
	nopCloser         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser(struct {
		io.Reader
		io.WriterTo
	}{}))
)
