package retrysql

// readOnlyState is the SQLSTATE read_only_sql_transaction.
const readOnlyState = "25006"

// isReadOnlyServer reports whether a statement failed because its server does not accept writes,
// or no longer does, as after a failover. Retrying on the same connection is useless.
func isReadOnlyServer(err error) bool {
	return anyInTree(err, func(err error) bool { return isReadOnlyCode(ownCode(err)) })
}

// isReadOnlyCode reports whether c is the answer of a server that does not accept writes.
func isReadOnlyCode(c code) bool {
	switch c.kind {
	case sqlState:
		return c.state == readOnlyState
	case mysqlNumber:
		return c.number == 1290 || // an option such as --read-only forbids it
			c.number == 1836 || // read-only mode
			c.number == 3100 // group replication: the member may not write
	}
	return false
}

// refusedByStandby reports whether an error of BEGIN has the code 0A000. A standby answers so if
// it is asked for READ WRITE, as lib/pq does, or for SERIALIZABLE.
func refusedByStandby(err error) bool { return codeOf(err).state == "0A000" }

// readOnlyError gives an error the code 25006 as well. It adds no text.
type readOnlyError struct{ err error }

func (r *readOnlyError) Error() string    { return textOf(r.err) }
func (r *readOnlyError) SQLState() string { return readOnlyState }
func (r *readOnlyError) Unwrap() error    { return r.err }
