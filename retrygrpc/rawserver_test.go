package retrygrpc_test

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rawServer speaks HTTP/2 frames. It fails in ways that a gRPC server does only by accident.
type rawServer struct {
	addr     string
	requests atomic.Int64 // complete ones
	conns    atomic.Int64
}

// answer replies to the n-th request of the server with the framer of its connection.
type answer func(n int, f *http2.Framer, conn net.Conn, stream uint32)

func serveRaw(t *testing.T, reply answer) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &rawServer{addr: l.Addr().String()}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.conns.Add(1)
			all.Go(func() { s.speak(conn, reply) })
		}
	})
	return s
}

// speak reads frames until the client disconnects. It replies to each complete request.
func (s *rawServer) speak(conn net.Conn, reply answer) {
	defer conn.Close()
	if _, err := io.CopyN(io.Discard, conn, int64(len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(conn, conn)
	f.WriteSettings()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				f.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !frame.IsAck() {
				f.WritePing(true, frame.Data)
			}
		case *http2.DataFrame:
			if frame.StreamEnded() {
				reply(int(s.requests.Add(1)), f, conn, frame.StreamID)
			}
		}
	}
}

// headers writes header fields that end the stream.
func headers(f *http2.Framer, stream uint32, pairs ...string) {
	var b bytes.Buffer
	enc := hpack.NewEncoder(&b)
	for i := 0; i < len(pairs); i += 2 {
		enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: b.Bytes(), EndHeaders: true, EndStream: true})
}

func reset(code http2.ErrCode) answer {
	return func(_ int, f *http2.Framer, _ net.Conn, stream uint32) { f.WriteRSTStream(stream, code) }
}

func proxyStatus(status int) answer {
	return func(_ int, f *http2.Framer, _ net.Conn, stream uint32) {
		headers(f, stream, ":status", strconv.Itoa(status), "content-type", "text/html")
	}
}

// goAway closes the connection with a last stream id below this stream: it was not processed.
func goAway(_ int, f *http2.Framer, conn net.Conn, stream uint32) {
	f.WriteGoAway(stream-1, http2.ErrCodeNo, nil)
	conn.Close()
}

// goAwayAbove closes the connection with this stream as the last one: it may have been processed.
func goAwayAbove(_ int, f *http2.Framer, conn net.Conn, stream uint32) {
	f.WriteGoAway(stream, http2.ErrCodeNo, nil)
	conn.Close()
}

func cut(_ int, _ *http2.Framer, conn net.Conn, _ uint32) { conn.Close() }
