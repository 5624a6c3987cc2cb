package retryhttp

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
)

// body is a request's body, to be sent by several attempts if it can be. A nil body is none.
type body struct {
	caller *source                       // the caller's own
	get    func() (io.ReadCloser, error) // makes another like it; nil: a stream that can be read once
	length int64                         // what the request says it has; 0: nothing
	limit  int64                         // up to which a stream is kept in memory; 0: not at all
	first  io.ReadCloser                 // what the first attempt sends as it is; nil: the caller's, watched
	given  bool                          // an attempt has it, or had it
	last   *attemptBody                  // of the last attempt; nil before the first, and of a body in memory
}

func newBody(req *http.Request, limit int64) *body {
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	b := &body{caller: &source{reader: req.Body, closer: req.Body}, get: req.GetBody, length: max(req.ContentLength, 0)}
	switch {
	case b.get == nil && req.ContentLength <= limit:
		b.limit = limit
	case b.get != nil && inMemory(req.Body, b.length):
		b.first = req.Body
	}
	return b
}

// next is the body for another attempt.
func (b *body) next(ctx context.Context) (io.ReadCloser, error) {
	if b.limit > 0 && !b.given {
		b.keep(ctx)
	}
	if !b.withdraw() {
		return nil, errReadMeanwhile
	}
	again := b.given
	b.given = true
	if !again && b.first != nil {
		return b.first, nil
	}
	from := b.caller
	if again && b.get != nil {
		rc, err := b.get()
		if err != nil {
			return nil, err
		}
		if inMemory(rc, b.length) {
			return rc, nil
		}
		from = &source{reader: rc, closer: rc}
	}
	b.last = &attemptBody{source: from, length: b.length, mayWait: b.get == nil}
	return b.last, nil
}

// keep reads the body into memory. If it is longer than the limit, or fails, what was read is
// put back in front of the rest. The end of ctx ends a read that hangs.
func (b *body) keep(ctx context.Context) {
	rest := b.caller.reader
	stop := context.AfterFunc(ctx, func() { _ = b.caller.close() })
	read, err := io.ReadAll(io.LimitReader(rest, min(b.limit, math.MaxInt64-1)+1))
	stop()
	b.caller.reader = bytes.NewReader(read)
	switch {
	case err != nil:
		b.caller.reader = io.MultiReader(b.caller.reader, failing{err})
	case int64(len(read)) > b.limit:
		b.caller.reader = io.MultiReader(b.caller.reader, rest)
	default:
		b.get = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(read)), nil }
		if b.length == 0 || b.length == int64(len(read)) {
			b.first, _ = b.get()
			_ = b.caller.close()
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// replayable reports whether the body can be sent once more: it is another each time, or a
// stream of which nothing was read.
func (b *body) replayable() bool {
	return b == nil || b.get != nil || b.last == nil || b.last.unread()
}

// withdraw takes an unread stream out of the last attempt's hands, for another attempt. As
// long as none is certain it must not: the transport that cannot read on closes the
// connection, and with it the response.
func (b *body) withdraw() bool {
	return b == nil || b.get != nil || b.last == nil || b.last.withdraw()
}

// failure is what the body's own reader failed with, or how its length is not what the request
// says; nil if it is well.
func (b *body) failure() error {
	if b == nil || b.last == nil {
		return nil
	}
	b.last.mu.Lock()
	defer b.last.mu.Unlock()
	return b.last.failure
}

// finish ends the call. A body that no attempt was given, or whose Close was put off, is
// closed; any other the transport closes, which may still be reading it.
func (b *body) finish() {
	if b == nil {
		return
	}
	if !b.given || b.last != nil && b.last.finish() {
		_ = b.caller.close()
	}
}

// abandon ends a call that a panic ended: nobody may close the body any more.
func (b *body) abandon() {
	if b != nil {
		b.finish()
		_ = b.caller.close()
	}
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
