package retryhttp_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// The tests of the HTTP/2 rows have a server of raw frames. They run in virtual time, because
// net/http itself repeats a refused request for a minute.

const (
	frameHeaders, frameReset, frameSettings, frameGoAway = 1, 3, 4, 7
	flagAck                                              = 1

	codeInternal, codeRefused, codeCancel = 2, 7, 8
)

// frame returns an HTTP/2 frame: length, type, flags, stream, payload.
func frame(kind, flags byte, stream uint32, payload ...uint32) []byte {
	b := []byte{0, 0, byte(4 * len(payload)), kind, flags}
	b = binary.BigEndian.AppendUint32(b, stream)
	for _, p := range payload {
		b = binary.BigEndian.AppendUint32(b, p)
	}
	return b
}

// serveHTTP2 serves a connection. For each request it writes the frames that answer returns for
// its stream, and closes the connection if hangUp is true.
func serveHTTP2(conn net.Conn, answer func(stream uint32) (frames []byte, hangUp bool)) {
	out := make(chan []byte, 100) // a pipe has no buffer, and reading must not wait for writing
	var wg sync.WaitGroup
	wg.Go(func() {
		for b := range out {
			_, _ = conn.Write(b)
		}
		_ = conn.Close()
	})
	defer wg.Wait()
	defer close(out)
	if _, err := io.ReadFull(conn, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	out <- frame(frameSettings, 0, 0)
	for {
		var head [9]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		size := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
		if _, err := io.CopyN(io.Discard, conn, size); err != nil {
			return
		}
		switch {
		case head[3] == frameSettings && head[4]&flagAck == 0:
			out <- frame(frameSettings, flagAck, 0)
		case head[3] == frameHeaders:
			frames, hangUp := answer(binary.BigEndian.Uint32(head[5:]))
			out <- frames
			if hangUp {
				wg.Go(func() { _, _ = io.Copy(io.Discard, conn) }) // until everything is written
				return
			}
		}
	}
}

func TestHTTP2Table(t *testing.T) {
	t.Parallel()
	resets := func(code uint32) func(uint32) ([]byte, bool) {
		return func(stream uint32) ([]byte, bool) { return frame(frameReset, 0, stream, code), false }
	}
	for _, test := range []struct {
		name               string
		answer             func(stream uint32) ([]byte, bool)
		idempotent, others int64
	}{
		{"REFUSED_STREAM", resets(codeRefused), 3, 3},
		{"INTERNAL_ERROR", resets(codeInternal), 3, 1},
		{"CANCEL", resets(codeCancel), 3, 1},
		{"GOAWAY that includes the stream", func(stream uint32) ([]byte, bool) {
			return frame(frameGoAway, 0, 0, stream, codeInternal), true
		}, 3, 1},
		{"closed without an answer", func(uint32) ([]byte, bool) { return nil, true }, 3, 1},
	} {
		for method, want := range map[string]int64{"GET": test.idempotent, "POST": test.others} {
			t.Run(test.name+", "+method, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					network := newMemoryNetwork()
					var wg sync.WaitGroup
					wg.Go(func() {
						for {
							conn, err := network.Accept()
							if err != nil {
								return
							}
							wg.Go(func() { serveHTTP2(conn, test.answer) })
						}
					})
					tr := &http.Transport{DialContext: network.dial, Protocols: new(http.Protocols)}
					tr.Protocols.SetUnencryptedHTTP2(true)
					counted := &countingBase{base: tr}
					_, err := (&retryhttp.Transport{Base: counted, Policy: quickPolicy()}).RoundTrip(newRequest(t, method, "http://host.example", nil))
					require.Error(t, err)
					assert.Equal(t, want, counted.attempts.Load(), "%v", err)
					tr.CloseIdleConnections()
					_ = network.Close()
					wg.Wait()
				})
			})
		}
	}
}

// TestHTTP2 checks that requests with bodies are retried after a status on one real HTTP/2
// connection.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, status(503), status(429), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		_, _ = io.Copy(w, r.Body)
	})
	s.EnableHTTP2 = true
	s.StartTLS()
	tr := &retryhttp.Transport{Base: s.Client().Transport, Policy: quickPolicy(retry.WithAttemptTimeout(time.Minute))}
	resp, err := tr.RoundTrip(newRequest(t, "PUT", s.URL, strings.NewReader("body")))
	require.NoError(t, err)
	assert.Equal(t, "body", readBody(t, resp))
	assert.Equal(t, "HTTP/2.0", resp.Header.Get("X-Proto"))
	assert.Len(t, s.requests(), 3)
	assert.EqualValues(t, 1, s.opened.Load())
}
