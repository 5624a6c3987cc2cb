package peererr_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry/internal/peererr"
)

func TestLasting(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  error
		want bool
	}{
		{"no error", nil, false},
		{"plain", errors.New("plain"), false},
		{"refused", &net.OpError{Op: "dial", Err: errors.New("connection refused")}, false},
		{"verification", &tls.CertificateVerificationError{Err: errors.New("x")}, true},
		{"authority", x509.UnknownAuthorityError{}, true},
		{"hostname", fmt.Errorf("dial: %w", x509.HostnameError{Certificate: &x509.Certificate{}}), true},
		{"expired", x509.CertificateInvalidError{Reason: x509.Expired}, true},
		{"no TLS", tls.RecordHeaderError{Msg: "not TLS"}, true},
		{"alert", &net.OpError{Op: "remote error", Err: tls.AlertError(42)}, true},
		{"alert, in an error of a dial", &net.OpError{Op: "dial", Err: &net.OpError{Op: "remote error", Err: tls.AlertError(42)}}, true},
		{"no such name", &net.DNSError{IsNotFound: true}, true},
		{"lookup timed out", &net.DNSError{IsTimeout: true}, false},
		{"joined", errors.Join(errors.New("plain"), x509.UnknownAuthorityError{}), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, peererr.Lasting(test.err))
		})
	}
}
