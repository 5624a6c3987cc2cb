package neterr

import "syscall"

// systemError reports whether err is an error number, and whether it is transient. It compares with
// the numbers of Windows and Winsock. On Windows package syscall invents values for the POSIX names,
// and no call returns them.
func systemError(err error) (system, transient bool) {
	e, ok := err.(syscall.Errno)
	if !ok {
		return false, false
	}
	switch e {
	case 109, // ERROR_BROKEN_PIPE
		121,   // ERROR_SEM_TIMEOUT
		232,   // ERROR_NO_DATA: the pipe is being closed
		1225,  // ERROR_CONNECTION_REFUSED
		1236,  // ERROR_CONNECTION_ABORTED
		10049, // WSAEADDRNOTAVAIL
		10050, // WSAENETDOWN
		10051, // WSAENETUNREACH
		10052, // WSAENETRESET
		10053, // WSAECONNABORTED
		10054, // WSAECONNRESET
		10060, // WSAETIMEDOUT
		10061, // WSAECONNREFUSED
		10065: // WSAEHOSTUNREACH
		return true, true
	}
	return true, false
}
