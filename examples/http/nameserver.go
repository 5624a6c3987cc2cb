package main

import (
	"context"
	"encoding/binary"
	"net"
	"sync/atomic"
)

// Response codes of DNS (RFC 1035, section 4.1.1).
const (
	noError   = 0
	serverErr = 2
	nameErr   = 3
)

// nameserver is a DNS server. Once it works, it answers that every name has the address 127.0.0.1.
type nameserver struct {
	name     string        // of its fault, in the table
	code     atomic.Uint32 // of its answers
	recovers bool          // works after the client's first attempt

	conn net.PacketConn
}

// noService fails until the client's first attempt has ended.
func noService() *nameserver {
	n := &nameserver{name: "no name service", recovers: true}
	n.code.Store(serverErr)
	return n
}

// noSuchName works and answers that no name exists.
func noSuchName() *nameserver {
	n := &nameserver{name: "no such name"}
	n.code.Store(nameErr)
	return n
}

func (n *nameserver) start() (err error) {
	if n.conn, err = net.ListenPacket("udp", "127.0.0.1:0"); err == nil {
		go n.serve()
	}
	return err
}

// afterAttempt returns the fault that the client met, or "" if there was none.
func (n *nameserver) afterAttempt() string {
	if n.code.Load() == noError {
		return ""
	}
	if n.recovers {
		n.code.Store(noError)
	}
	return n.name
}

// dialer returns a dialer that looks names up at this server only.
func (n *nameserver) dialer() *net.Dialer {
	return &net.Dialer{Resolver: &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "udp", n.conn.LocalAddr().String())
		},
	}}
}

func (n *nameserver) serve() {
	packet := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(packet)
		if err != nil {
			return // closed
		}
		_, _ = n.conn.WriteTo(reply(packet[:size], n.code.Load()), from)
	}
}

// reply returns the answer to a query: header, question and, for an IPv4 address, the address.
func reply(query []byte, code uint32) []byte {
	const headerSize, typeA = 12, 1
	end := headerSize
	for query[end] != 0 { // the labels of the name
		end += int(query[end]) + 1
	}
	question := query[headerSize : end+5] // the last label, type and class
	kind := binary.BigEndian.Uint16(query[end+1:])

	msg := append([]byte(nil), query[:2]...) // the query's number
	msg = append(msg, 0x81, 0x80|byte(code)) // a response, recursion desired and available
	answers := byte(0)
	if code == noError && kind == typeA {
		answers = 1
	}
	msg = append(msg, 0, 1, 0, answers, 0, 0, 0, 0)
	msg = append(msg, question...)
	if answers == 1 {
		// The question's name, type A, class IN, TTL 0, and four bytes of address.
		msg = append(msg, 0xc0, headerSize, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
	}
	return msg
}
