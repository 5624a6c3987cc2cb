// Package peererr knows the failures to connect that another try does not cure. It is not part
// of neterr because it imports crypto/tls, which the core does without.
package peererr

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
)

// Lasting reports whether the tree of err says that there will be no connection however often
// one tries: the peer is not who it should be, does not speak TLS, has refused the handshake
// by an alert, or its name does not exist.
func Lasting(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		record       tls.RecordHeaderError
		dns          *net.DNSError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &record) || isAlert(err) ||
		errors.As(err, &dns) && dns.IsNotFound
}

// isAlert reports whether err is a TLS alert from the server or a proxy.
func isAlert(err error) bool {
	var op *net.OpError
	for errors.As(err, &op) {
		if op.Op == "remote error" {
			return true
		}
		err = op.Err
	}
	return false
}
