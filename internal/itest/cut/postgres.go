package cut

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// postgres reads the protocol of
// https://www.postgresql.org/docs/current/protocol-message-formats.html.
type postgres struct {
	started bool              // the startup message has passed; messages before it have no type
	synced  bool              // the reply to the last request ends with ReadyForQuery
	texts   map[string]string // SQL by the name of a prepared statement, or by NUL and the name of a portal
}

// The codes of requests for encryption, which come before the startup message. A server refuses them
// with one byte.
const (
	sslRequest    = 80877103
	gssEncRequest = 80877104
)

const readyForQuery = "Z\x00\x00\x00\x05" // one more byte follows: the state

// next reads messages of the extended protocol up to Sync or Flush as one request, because the server
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

// kind returns the kind of a message, and notes the SQL of statements and portals.
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

// answered also returns true if the server asks for the data of a COPY, because the client has to send
// that first.
func (p *postgres) answered(reply []byte) bool {
	if !p.synced || bytes.HasPrefix(reply, []byte{'G'}) {
		return len(reply) > 0
	}
	return len(reply) > len(readyForQuery) && bytes.HasSuffix(reply[:len(reply)-1], []byte(readyForQuery))
}

// read reads a message whose length follows after the given number of bytes. The length counts itself.
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

// cString returns the text before the first NUL, and the bytes after it.
func cString(b []byte) (string, []byte) {
	text, rest, _ := bytes.Cut(b, []byte{0})
	return string(text), rest
}
