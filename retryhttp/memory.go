package retryhttp

import (
	"bytes"
	"io"
	"reflect"
	"strings"
)

// inMemory reports whether body is a plain reader of memory with length bytes left. A length of
// 0 matches any number. Such a body cannot fail, so it needs no attemptBody. net/http recognizes
// the same types and sends a short body in one packet with the header.
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
