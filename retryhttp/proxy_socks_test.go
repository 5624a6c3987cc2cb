package retryhttp_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// socksProxy is a SOCKS5 server (RFC 1928, 1929) with a password. It answers each request with
// the code.
type socksProxy struct {
	addr   string
	logins atomic.Int64
}

func newSOCKSProxy(t *testing.T, password string, code byte) *socksProxy {
	t.Helper()
	p := &socksProxy{}
	p.addr = listen(t, func(conn net.Conn) {
		if methods := field(conn, 1); methods == nil { // the version was read with it
			return
		}
		const userPassword = 2
		_, _ = conn.Write([]byte{5, userPassword})
		if field(conn, 1) == nil { // user
			return
		}
		given := field(conn, 0)
		p.logins.Add(1)
		if string(given) != password {
			_, _ = conn.Write([]byte{1, 1})
			return
		}
		_, _ = conn.Write([]byte{1, 0})
		var head [4]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		var addr [6]byte // IPv4 and port
		if _, err := io.ReadFull(conn, addr[:]); err != nil {
			return
		}
		_, _ = conn.Write([]byte{5, code, 0, 1, 0, 0, 0, 0, 0, 0})
		if code == 0 {
			tunnel(conn, fmt.Sprintf("%v:%d", net.IP(addr[:4]), binary.BigEndian.Uint16(addr[4:])))
		}
	})
	return p
}

// field reads skip bytes, a length and a field of that length.
func field(conn net.Conn, skip int) []byte {
	head := make([]byte, skip+1)
	if _, err := io.ReadFull(conn, head); err != nil {
		return nil
	}
	value := make([]byte, head[skip])
	if _, err := io.ReadFull(conn, value); err != nil {
		return nil
	}
	return value
}

// TestSOCKSTable checks the table's rows for the answers of a SOCKS5 server.
func TestSOCKSTable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		password string
		code     byte
		attempts int64
	}{
		{"login fails", "wrong", 0, 1},
		{"general failure", "secret", 1, 3},
		{"not allowed by ruleset", "secret", 2, 1},
		{"network unreachable", "secret", 3, 3},
		{"host unreachable", "secret", 4, 3},
		{"connection refused", "secret", 5, 3},
		{"TTL expired", "secret", 6, 3},
		{"command not supported", "secret", 7, 1},
		{"address type not supported", "secret", 8, 1},
	} {
		for _, method := range []string{"GET", "POST"} {
			for _, way := range []string{"Transport", "Do"} {
				t.Run(test.name+", "+method+", "+way, func(t *testing.T) {
					t.Parallel()
					s := serve(t, status(200))
					proxy := newSOCKSProxy(t, "secret", test.code)
					base := newTransport(t)
					base.Proxy = http.ProxyURL(&url.URL{Scheme: "socks5", Host: proxy.addr, User: url.UserPassword("user", test.password)})
					err := sendThrough(t, way, base, newRequest(t, method, s.URL, nil))
					require.Error(t, err)
					assert.NotContains(t, err.Error(), "secret")
					assert.Equal(t, test.attempts, proxy.logins.Load(), "%v", err)
					assert.Equal(t, test.attempts == 1, errors.Is(err, retry.ErrPermanent))
				})
			}
		}
	}
	t.Run("granted", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(200))
		proxy := newSOCKSProxy(t, "secret", 0)
		base := newTransport(t)
		base.Proxy = http.ProxyURL(&url.URL{Scheme: "socks5", Host: proxy.addr, User: url.UserPassword("user", "secret")})
		require.NoError(t, sendThrough(t, "Transport", base, newRequest(t, "GET", s.URL, nil)))
	})
}
