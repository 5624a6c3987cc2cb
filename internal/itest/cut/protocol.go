package cut

import (
	"bufio"
	"strings"
)

// A Protocol is what a client and its server speak.
type Protocol struct {
	name string
	dial func() dialect
}

// The protocols that a Proxy knows.
var (
	Postgres = Protocol{"PostgreSQL", func() dialect { return &postgres{texts: map[string]string{}} }}
	MySQL    = Protocol{"MySQL", func() dialect { return mysql{} }}
)

func (p Protocol) String() string { return p.name }

// dialect reads one connection.
type dialect interface {
	// next returns the client's next request, which is all that it sends before it may wait for
	// a reply.
	next(r *bufio.Reader) (request, error)
	// answered reports whether the bytes, which are all that came since the last request was
	// sent, tell that it was executed.
	answered(reply []byte) bool
}

type request struct {
	bytes []byte
	kind  requestKind
}

type requestKind int

const (
	other requestKind = iota
	prepare
	statement
	commit
)

// execute is the kind of a request that executes the text.
func execute(text string) requestKind {
	text = strings.TrimRight(strings.TrimSpace(text), "; \t\r\n")
	if strings.EqualFold(text, "COMMIT") {
		return commit
	}
	return statement
}
