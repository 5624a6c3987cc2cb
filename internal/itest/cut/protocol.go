package cut

import (
	"bufio"
	"strings"
)

// A Protocol is the protocol of a database.
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
	// next reads the client's next request: everything it sends before it waits for a reply.
	next(r *bufio.Reader) (request, error)
	// answered reports whether the reply shows that the last request was executed. The reply is all
	// that the server has sent since that request.
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

// execute returns the kind of a request that executes the SQL.
func execute(text string) requestKind {
	text = strings.TrimRight(strings.TrimSpace(text), "; \t\r\n")
	if strings.EqualFold(text, "COMMIT") {
		return commit
	}
	return statement
}
