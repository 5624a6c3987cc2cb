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

// proxyPasses reports whether another attempt may change the status that a proxy answered
// CONNECT with. Refused credentials are never sent again: too many of them lock an account.
func proxyPasses(code int) bool {
	return retryableStatus(code) && code != http.StatusMisdirectedRequest && code != http.StatusTooEarly
}

// refusedConnect reports whether err is a proxy's refusal of CONNECT that will last. net/http makes it an error of
// nothing but the text behind the status code, which is the proxy's own choice.
func (c *call) refusedConnect(err error) bool {
	target := c.req.URL
	if e, ok := err.(*url.Error); ok && e != nil { // of a client, which may have followed a redirect
		target, _ = url.Parse(e.URL)
		err = e.Err
	}
	if target == nil || target.Scheme != "https" || !isBareText(err) || c.trace != nil && c.trace.got.Load() {
		return false
	}
	if code, ok := statusOfText(err.Error()); ok {
		return !proxyPasses(code)
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

var bareText = reflect.TypeOf(errors.New(""))

// isBareText reports whether err may be net/http's error for a refused CONNECT.
func isBareText(err error) bool {
	if err == nil || reflect.TypeOf(err) != bareText || err == io.EOF || err == io.ErrUnexpectedEOF {
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

// statusOfText returns the status that has text as its name.
func statusOfText(text string) (code int, ok bool) {
	for code := 300; code < 600; code++ {
		if name := http.StatusText(code); name != "" && strings.EqualFold(name, text) {
			return code, true
		}
	}
	return 0, false
}

// refusedBySOCKS reports whether err is a SOCKS proxy's refusal. net/http and x/net/proxy say
// by text alone what it refused.
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
		"not allowed by ruleset",       // what a 403 is to an HTTP proxy
		"command not supported",        //
		"address type not supported",   //
		"unexpected protocol version ", // it is no such proxy
	} {
		if strings.Contains(text, known) {
			return true
		}
	}
	return false
}
