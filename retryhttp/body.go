package retryhttp

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
)

// requestBody is the body of a call's request. It gives each attempt a body to send, if that
// is possible. A nil *requestBody is a request without a body.
type requestBody struct {
	original    *closeOnce                    // the caller's body
	getBody     func() (io.ReadCloser, error) // makes another like it; nil: a stream that can be read once
	length      int64                         // the request's ContentLength; 0: unknown
	bufferLimit int64                         // the longest stream to keep in memory; 0: keep none
	firstSent   io.ReadCloser                 // what the first attempt sends as it is; nil: an attemptBody
	used        bool                          // an attempt has, or had, the body
	last        *attemptBody                  // the last attempt's body; nil: no attempt yet, or in memory
}

func newRequestBody(req *http.Request, bufferLimit int64) *requestBody {
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	b := &requestBody{
		original: &closeOnce{reader: req.Body, closer: req.Body},
		getBody:  req.GetBody,
		length:   max(req.ContentLength, 0),
	}
	switch {
	case b.getBody == nil && req.ContentLength <= bufferLimit:
		b.bufferLimit = bufferLimit
	case b.getBody != nil && inMemory(req.Body, b.length):
		b.firstSent = req.Body
	}
	return b
}

// forAttempt returns the body for the next attempt.
func (b *requestBody) forAttempt(ctx context.Context) (io.ReadCloser, error) {
	if b.bufferLimit > 0 && !b.used {
		b.buffer(ctx)
	}
	if !b.reclaim() {
		return nil, errBodyUsed
	}
	usedBefore := b.used
	b.used = true
	if !usedBefore && b.firstSent != nil {
		return b.firstSent, nil
	}
	source := b.original
	if usedBefore && b.getBody != nil {
		rc, err := b.getBody()
		if err != nil {
			return nil, err
		}
		if inMemory(rc, b.length) {
			return rc, nil
		}
		source = &closeOnce{reader: rc, closer: rc}
	}
	b.last = &attemptBody{source: source, length: b.length, deferClose: b.getBody == nil}
	return b.last, nil
}

// buffer reads the body into memory. If the body is longer than the limit, or its reader
// fails, the part that was read is put back in front of the rest. The end of ctx ends a read
// that hangs.
func (b *requestBody) buffer(ctx context.Context) {
	rest := b.original.reader
	stop := context.AfterFunc(ctx, func() { _ = b.original.close() })
	read, err := io.ReadAll(io.LimitReader(rest, min(b.bufferLimit, math.MaxInt64-1)+1))
	stop()
	b.original.reader = bytes.NewReader(read)
	switch {
	case err != nil:
		b.original.reader = io.MultiReader(b.original.reader, errorReader{err})
	case int64(len(read)) > b.bufferLimit:
		b.original.reader = io.MultiReader(b.original.reader, rest)
	default:
		b.getBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(read)), nil }
		if b.length == 0 || b.length == int64(len(read)) {
			b.firstSent, _ = b.getBody()
			_ = b.original.close()
		}
	}
}

// errorReader is a reader that fails with err.
type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// canResend reports whether another attempt can send the body: each attempt has a new one, or
// nothing of the stream was read.
func (b *requestBody) canResend() bool {
	return b == nil || b.getBody != nil || b.last == nil || b.last.unread()
}

// reclaim takes an unread stream away from the last attempt, so that another attempt can send
// it. It reports whether another attempt has a body to send.
//
// Call it only when another attempt is certain: a transport that cannot read on closes the
// connection, and with it the response.
func (b *requestBody) reclaim() bool {
	return b == nil || b.getBody != nil || b.last == nil || b.last.reclaim()
}

// readError returns the error of the body's own reader, or an error if the body's length
// differs from the request's ContentLength.
func (b *requestBody) readError() error {
	if b == nil || b.last == nil {
		return nil
	}
	b.last.mu.Lock()
	defer b.last.mu.Unlock()
	return b.last.readErr
}

// finish ends the call. It closes a body that no attempt was given, and one whose Close was
// deferred. The transport closes any other body, which it may still be reading.
func (b *requestBody) finish() {
	if b == nil {
		return
	}
	if !b.used || b.last != nil && b.last.finish() {
		_ = b.original.close()
	}
}

// finishAfterPanic ends a call that panicked: it closes the body, since nobody else may do so.
func (b *requestBody) finishAfterPanic() {
	if b != nil {
		b.finish()
		_ = b.original.close()
	}
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
