package retryhttp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// TestBodyReclaimed checks that an attempt which has ended cannot touch a stream that it did
// not read. Its late Close does not close the stream. Its late Read takes nothing from what the
// next attempt sends. An http.RoundTripper may do both after it has returned.
func TestBodyReclaimed(t *testing.T) {
	t.Parallel()
	body := &countingBody{Reader: strings.NewReader("body")}
	var first io.ReadCloser
	var sent string
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		if first == nil {
			first = req.Body
			return reply(req, 503, ""), nil // and reads the body later, below
		}
		half := make([]byte, 2)
		_, err := io.ReadFull(req.Body, half)
		assert.NoError(t, err)
		n, err := first.Read(make([]byte, 1))
		assert.Zero(t, n, "the first attempt has ended")
		assert.Error(t, err)
		assert.NoError(t, first.Close())
		assert.Zero(t, body.closed.Load(), "the first attempt cannot close it")
		rest, err := io.ReadAll(req.Body)
		assert.NoError(t, err)
		sent = string(half) + string(rest)
		assert.NoError(t, req.Body.Close())
		return reply(req, 200, ""), nil
	})
	resp, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(newRequest(t, "PUT", "http://host.example", body))
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "body", sent)
	assert.EqualValues(t, 1, body.closed.Load())
}

// TestStreamReadLate lets an attempt that has ended start to read the stream before the next
// attempt starts. During the wait a retry is certain: the read fails, and the next attempt
// sends the whole stream. Before the wait it is not certain, and there may be no next attempt.
// Half a stream is never sent.
func TestStreamReadLate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		hook func(read func()) retry.Hooks
		sent bool // the stream must be sent again
	}{
		{"in the wait", func(read func()) retry.Hooks {
			return retry.Hooks{BeforeWait: func(context.Context, retry.Attempt) { time.AfterFunc(time.Second, read) }}
		}, true},
		{"before the wait", func(read func()) retry.Hooks {
			return retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) {
				if a.Number == 1 {
					read()
				}
			}}
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				body := &countingBody{Reader: strings.NewReader("body")}
				var first io.ReadCloser
				var sent []string
				base := roundTripper(func(req *http.Request) (*http.Response, error) {
					if first == nil {
						first = req.Body
						return reply(req, 503, ""), nil // and reads the body later, in the hook
					}
					all, err := io.ReadAll(req.Body)
					assert.NoError(t, err)
					sent = append(sent, string(all))
					assert.NoError(t, req.Body.Close())
					return reply(req, 200, ""), nil
				})
				policy := quickPolicy(retry.WithBackoff(retry.Constant(2*time.Second)), retry.WithHooks(test.hook(func() {
					_, _ = first.Read(make([]byte, 2))
					_ = first.Close()
				})))
				_, err := (&retryhttp.Transport{Base: base, Policy: policy}).RoundTrip(newRequest(t, "PUT", "http://host.example", body))
				assert.True(t, err == nil || errors.Is(err, retry.ErrPermanent), "%v", err)
				if test.sent || sent != nil {
					assert.Equal(t, []string{"body"}, sent)
				}
				assert.EqualValues(t, 1, body.closed.Load())
			})
		})
	}
}

// TestStreamUnread checks that a stream which the first attempts did not read is sent by a
// later one.
func TestStreamUnread(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"PUT", "POST"} {
		t.Run("dial error, "+method, func(t *testing.T) {
			t.Parallel()
			s := serve(t, status(200))
			tr := newTransport(t)
			dials := 0
			tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if dials++; dials < 3 {
					return nil, errDialRefused
				}
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			}
			body := &countingBody{Reader: strings.NewReader("body")}
			resp, err := (&retryhttp.Transport{Base: tr, Policy: quickPolicy()}).RoundTrip(newRequest(t, method, s.URL, body))
			require.NoError(t, err)
			assert.Equal(t, "OK", readBody(t, resp))
			assert.Equal(t, "body", s.requests()[0].body)
			requireClosedOnce(t, body)
		})
	}
}

// TestStreamRead checks that a stream is not sent again after some of it was read, and that the
// caller gets the attempt's outcome.
func TestStreamRead(t *testing.T) {
	t.Parallel()
	t.Run("status", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(503))
		resp, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}).RoundTrip(
			newRequest(t, "PUT", s.URL, io.MultiReader(strings.NewReader("body"))))
		require.NoError(t, err)
		assert.Equal(t, 503, resp.StatusCode)
		assert.Equal(t, "Service Unavailable", readBody(t, resp))
		assert.Len(t, s.requests(), 1)
	})
	t.Run("error", func(t *testing.T) {
		t.Parallel()
		s := serve(t, hangUp)
		_, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}).RoundTrip(
			newRequest(t, "PUT", s.URL, io.MultiReader(strings.NewReader("body"))))
		require.ErrorIs(t, err, io.EOF)
		require.ErrorIs(t, err, retry.ErrPermanent)
		assert.Len(t, s.requests(), 1)
	})
}

// TestReadErrorAfterClose checks that an error of the body's reader does not count as the
// caller's if the reader fails because the transport closed it.
func TestReadErrorAfterClose(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		if n.Add(1) == 1 { // the connection is reset while the body is being read
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = req.Body.Read(make([]byte, 1))
			}()
			time.AfterFunc(time.Millisecond, func() { _ = req.Body.Close() })
			<-done
			return nil, io.ErrUnexpectedEOF
		}
		_ = req.Body.Close()
		return reply(req, 200, ""), nil
	})
	req := newRequest(t, "PUT", "http://host.example", newBlockingBody())
	req.GetBody = func() (io.ReadCloser, error) { return newBlockingBody(), nil }
	resp, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
}

// TestCloseEndsRead checks that the transport can end a read of a stream that hangs.
func TestCloseEndsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := roundTripper(func(req *http.Request) (*http.Response, error) {
			time.AfterFunc(time.Second, func() { _ = req.Body.Close() })
			_, err := req.Body.Read(make([]byte, 1))
			return nil, err
		})
		body := newBlockingBody()
		_, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(newRequest(t, "PUT", "http://host.example", body))
		require.ErrorIs(t, err, retry.ErrPermanent, "it was read")
	})
}

// TestBodyUsedAfterReturn checks that a base may read and close the body after it has returned
// the response.
func TestBodyUsedAfterReturn(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"", "bo"} {
		for _, read := range []bool{true, false} {
			var sent io.ReadCloser
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				sent = req.Body
				_, err := io.ReadFull(sent, make([]byte, len(first)))
				return reply(req, 200, ""), err
			})
			body := &countingBody{Reader: strings.NewReader("body")}
			_, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(newRequest(t, "PUT", "http://host.example", body))
			require.NoError(t, err)
			assert.Zero(t, body.closed.Load(), "the upload goes on")
			if read {
				rest, err := io.ReadAll(sent)
				require.NoError(t, err)
				assert.Equal(t, "body", first+string(rest))
			}
			require.NoError(t, sent.Close())
			require.NoError(t, sent.Close())
			assert.EqualValues(t, 1, body.closed.Load())
		}
	}
}
