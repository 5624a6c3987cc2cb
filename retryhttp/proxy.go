package retryhttp

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
)

// transientConnectStatus reports whether another attempt may change a proxy's status for
// CONNECT. Refused credentials are never sent again, because repeated failures may lock an
// account.
func transientConnectStatus(code int) bool {
	return retryableStatus(code) && code != http.StatusMisdirectedRequest && code != http.StatusTooEarly
}

// refusedConnect reports whether err is a proxy's refusal of CONNECT that another attempt does
// not change. net/http's error has only the text behind the status code, and a proxy may choose
// that text freely.
func (c *call) refusedConnect(err error) bool {
	target := c.req.URL
	if e, ok := err.(*url.Error); ok && e != nil { // from a client, which may have followed a redirect
		target, _ = url.Parse(e.URL)
		err = e.Err
	}
	if target == nil || target.Scheme != "https" || !isPlainText(err) || c.trace != nil && c.trace.connected.Load() {
		return false
	}
	if code, ok := statusFromText(err.Error()); ok {
		return !transientConnectStatus(code)
	}
	return c.hasProxy(target)
}

// hasProxy reports whether requests to target are known to go through an HTTP proxy.
func (c *call) hasProxy(target *url.URL) bool {
	base, ok := c.transport.base().(*http.Transport)
	if !ok || base == nil || base.Proxy == nil {
		return false
	}
	req := *c.req
	req.URL = target
	proxy, err := base.Proxy(&req)
	return err == nil && proxy != nil && !strings.HasPrefix(proxy.Scheme, "socks")
}

// plainText is the type of an error that has only a text.
var plainText = reflect.TypeOf(errors.New(""))

// isPlainText reports whether err may be net/http's error for a refused CONNECT.
func isPlainText(err error) bool {
	if err == nil || reflect.TypeOf(err) != plainText || err == io.EOF || err == io.ErrUnexpectedEOF {
		return false
	}
	text := err.Error()
	for _, own := range []string{"http: ", "http2: ", "net/http: ", "tls: ", "x509: "} {
		if strings.HasPrefix(text, own) {
			return false
		}
	}
	return true
}

// statusFromText returns the status whose name is text.
func statusFromText(text string) (code int, ok bool) {
	for code := 300; code < 600; code++ {
		if name := http.StatusText(code); name != "" && strings.EqualFold(name, text) {
			return code, true
		}
	}
	return 0, false
}

// refusedBySOCKS reports whether err is a SOCKS proxy's refusal that another attempt does not
// change. Only the texts of net/http and x/net/proxy say what the proxy refused.
func refusedBySOCKS(err error) (refused bool) {
	errtree.Walk(err, func(node error) bool {
		if op, ok := node.(*net.OpError); ok && strings.HasPrefix(op.Op, "socks") {
			refused = refused || isSOCKSRefusal(retry.ErrorText(op.Err))
		}
		return !refused
	})
	return refused
}

func isSOCKSRefusal(text string) bool {
	for _, known := range []string{
		"username/password",            // … authentication failed, invalid …
		"authentication method",        // no acceptable …s, unsupported …
		"not allowed by ruleset",       // as a 403 of an HTTP proxy
		"command not supported",        //
		"address type not supported",   //
		"unexpected protocol version ", // not a SOCKS proxy
	} {
		if strings.Contains(text, known) {
			return true
		}
	}
	return false
}
