// Package cut is a TCP proxy that cuts connections to a database at chosen points, such as
// between a COMMIT and its reply. It knows just enough of each protocol to tell the requests of a
// client apart. It does not know TLS or compression.
package cut

// A Point is where a connection is cut. A statement is what the server executes: a simple query, a
// prepared statement, BEGIN and ROLLBACK. COMMIT is not a statement; it has its own points.
type Point int

// The points. The proxy loses a reply only after it has read it, so the server has then done what the
// reply says.
const (
	BeforeFirstByte Point = iota // the connection is accepted, and nothing is passed on
	AfterPrepare                 // a statement was prepared, and the reply is lost; nothing was executed
	BeforeStatement              // nothing of a statement reaches the server
	MidStatement                 // half of a statement's bytes reach the server
	AfterStatement               // a statement was executed, and the reply is lost
	BeforeCommit                 // COMMIT does not reach the server; the client sees the same as after AfterCommit
	AfterCommit                  // COMMIT was executed, and the reply is lost
)

// Points are all points.
var Points = []Point{
	BeforeFirstByte, AfterPrepare, BeforeStatement, MidStatement, AfterStatement, BeforeCommit, AfterCommit,
}

func (p Point) String() string {
	return [...]string{
		"before the first byte", "after a prepare", "before a statement", "amid a statement", "after a statement",
		"before COMMIT", "after COMMIT",
	}[p]
}
