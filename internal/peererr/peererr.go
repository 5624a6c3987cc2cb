// Package peererr knows the failures to connect that another try does not cure. It is not part
// of neterr because it imports crypto/tls, which the core does without.
package peererr

import (
	"crypto/tls"
	"crypto/x509"
	"net"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// Lasting reports whether the tree of err says that there will be no connection however often
// one tries: the peer is not who it should be, does not speak TLS, has refused the handshake
// by an alert, or its name does not exist.
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
