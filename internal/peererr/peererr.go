// Package peererr reports which connection errors do not go away with another attempt. It is not a
// part of neterr because it imports crypto/tls, which the core does not need.
package peererr

import (
	"crypto/tls"
	"crypto/x509"
	"net"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// Lasting reports whether the tree of err shows that more attempts to connect are pointless. That is
// so if the peer has the wrong certificate, does not speak TLS, refused the handshake with an alert,
// or has a name that does not exist.
func Lasting(err error) (lasting bool) {
	errtree.Walk(err, func(node error) bool {
		lasting = isLasting(node)
		return !lasting
	})
	return lasting
}

func isLasting(node error) bool {
	switch e := node.(type) {
	case *tls.CertificateVerificationError, x509.UnknownAuthorityError, x509.HostnameError,
		x509.CertificateInvalidError, tls.RecordHeaderError:
		return true
	case *net.OpError: // a TLS alert from the server or a proxy
		return e.Op == "remote error"
	case *net.DNSError:
		return e.IsNotFound
	}
	return false
}
