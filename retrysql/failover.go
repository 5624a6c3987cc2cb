package retrysql

// lostRole reports whether a server refused err's statement because it does not, or no longer,
// accept writes, as after a failover: its connections stay of no use however often one tries.
func lostRole(err error) bool {
	return has(err, func(err error) bool { return ofReadOnlyServer(read(err)) })
}

// ofReadOnlyServer reports whether c is what a server that lost its role answers.
func ofReadOnlyServer(c code) bool {
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

const readOnlyState = "25006" // read-only transaction

// refusedByStandby reports whether err, of BEGIN, is what a standby answers when it is asked for
// more than it can do: 0A000, for READ WRITE, which lib/pq asks for, and for SERIALIZABLE.
func refusedByStandby(err error) bool { return codeOf(err).state == "0A000" }

// roleError is an error of BEGIN that has the code 25006 too. It adds no text.
type roleError struct{ err error }

func (r *roleError) Error() string    { return textOf(r.err) }
func (r *roleError) SQLState() string { return readOnlyState }
func (r *roleError) Unwrap() error    { return r.err }
