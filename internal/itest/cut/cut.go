// Package cut is a TCP proxy that cuts connections to a database at chosen points, such as
// after a COMMIT was sent and before its reply. It knows just enough of a protocol to tell one
// request of a client from the next, and nothing of TLS or compression.
package cut

// A Point is where a connection is cut. Statements are what the server executes: a simple query,
// the execution of a prepared one, BEGIN and ROLLBACK, too, but not COMMIT, which has points of
// its own.
type Point int

// Replies that are lost have arrived at the proxy before it cuts, so that what they tell has
// happened.
const (
	BeforeFirstByte Point = iota // a connection is accepted, and nothing of it is passed on
	AfterPrepare                 // a statement was prepared, and the reply is lost; nothing is executed
	BeforeStatement              // nothing of a statement reaches the server
	MidStatement                 // half of a statement's bytes reach the server
	AfterStatement               // a statement was executed, and the reply is lost
	BeforeCommit                 // COMMIT does not reach the server; to the client it looks like the next
	AfterCommit                  // COMMIT was executed, and the reply is lost
)

// Points are all of them.
var Points = []Point{
	BeforeFirstByte, AfterPrepare, BeforeStatement, MidStatement, AfterStatement, BeforeCommit, AfterCommit,
}

func (p Point) String() string {
	return [...]string{
		"before the first byte", "after a prepare", "before a statement", "amid a statement", "after a statement",
		"before COMMIT", "after COMMIT",
	}[p]
}
