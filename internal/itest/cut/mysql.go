package cut

import (
	"bufio"
	"io"
)

// mysql reads the protocol of https://mariadb.com/kb/en/clientserver-protocol/.
type mysql struct{}

// The commands that the proxy knows.
const (
	comQuery       = 0x03
	comStmtPrepare = 0x16
	comStmtExecute = 0x17
)

const (
	mysqlHead = 4             // a length of 3 bytes and a sequence number
	mysqlFull = 1<<24 - 1     // the length of a packet that is continued in the next
	mysqlText = mysqlHead + 1 // where the text of a command starts
)

func (mysql) next(r *bufio.Reader) (request, error) {
	var all request
	for {
		head, err := r.Peek(mysqlHead)
		if err != nil {
			return all, err
		}
		length := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
		packet := make([]byte, mysqlHead+length)
		if _, err := io.ReadFull(r, packet); err != nil {
			return all, err
		}
		all.bytes = append(all.bytes, packet...)
		if length < mysqlFull {
			break
		}
	}
	// A packet that is not the first of a sequence answers the server, as in a login.
	if len(all.bytes) < mysqlText || all.bytes[3] != 0 {
		return all, nil
	}
	switch all.bytes[mysqlHead] {
	case comQuery:
		all.kind = execute(string(all.bytes[mysqlText:]))
	case comStmtPrepare:
		all.kind = prepare
	case comStmtExecute:
		all.kind = statement // drivers do not prepare COMMIT
	}
	return all, nil
}

// answered reports whether the first packet is complete. It is OK, an error, or the head of a result.
func (mysql) answered(reply []byte) bool {
	return len(reply) >= mysqlHead && len(reply)-mysqlHead >= int(reply[0])|int(reply[1])<<8|int(reply[2])<<16
}
