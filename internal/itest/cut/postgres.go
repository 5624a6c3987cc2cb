package cut

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// postgres is https://www.postgresql.org/docs/current/protocol-message-formats.html.
type postgres struct {
	started bool              // what a client sends first has no type
	synced  bool              // the last request is answered with ReadyForQuery
	texts   map[string]string // of prepared statements and of portals, which are their names after a NUL
}

// The codes of what comes before a startup message: requests for encryption, which are refused
// with one byte.
const (
	sslRequest    = 80877103
	gssEncRequest = 80877104
)

const readyForQuery = "Z\x00\x00\x00\x05" // and a byte of state

// next takes messages of the extended protocol together up to their Sync or Flush: the server
// does not reply earlier.
func (p *postgres) next(r *bufio.Reader) (request, error) {
	if !p.started {
		message, err := read(r, 0)
		if err == nil && len(message) >= 8 {
			code := binary.BigEndian.Uint32(message[4:])
			p.started = code != sslRequest && code != gssEncRequest
		}
		return request{bytes: message}, err
	}
	var all request
	for {
		message, err := read(r, 1)
		if err != nil {
			return all, err
		}
		all.bytes = append(all.bytes, message...)
		all.kind = max(all.kind, p.kind(message[0], message[5:]))
		switch message[0] {
		case 'P', 'B', 'D', 'E', 'C': // Parse, Bind, Describe, Execute, Close
			continue
		}
		p.synced = message[0] == 'Q' || message[0] == 'S'
		return all, nil
	}
}

func (p *postgres) kind(kind byte, body []byte) requestKind {
	switch kind {
	case 'Q': // Query
		text, _ := cString(body)
		return execute(text)
	case 'P': // Parse
		name, rest := cString(body)
		p.texts[name], _ = cString(rest)
		return prepare
	case 'B': // Bind
		portal, rest := cString(body)
		name, _ := cString(rest)
		p.texts["\x00"+portal] = p.texts[name]
	case 'E': // Execute
		portal, _ := cString(body)
		return execute(p.texts["\x00"+portal])
	}
	return other
}

// answered also takes the server's wish for data to copy, which the client is to send first.
func (p *postgres) answered(reply []byte) bool {
	if !p.synced || bytes.HasPrefix(reply, []byte{'G'}) {
		return len(reply) > 0
	}
	return len(reply) > len(readyForQuery) && bytes.HasSuffix(reply[:len(reply)-1], []byte(readyForQuery))
}

// read reads a message whose length, which counts itself, stands after so many bytes.
func read(r *bufio.Reader, before int) ([]byte, error) {
	head, err := r.Peek(before + 4)
	if err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(head[before:]))
	if length < 4 {
		return nil, errors.New("cut: not a message of PostgreSQL's protocol")
	}
	message := make([]byte, before+length)
	_, err = io.ReadFull(r, message)
	return message, err
}

// cString returns the text up to the NUL, and what is after it.
func cString(b []byte) (string, []byte) {
	text, rest, _ := bytes.Cut(b, []byte{0})
	return string(text), rest
}
