package retrygrpc

import (
	"net"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
)

// evidence tells whether an attempt got to a transport. grpc fills in the Peer of a call that did,
// before it runs OnFinish. So a call whose OnFinish ran and whose Peer is as it was never left.
//
// Both are needed: an interceptor further in may drop call options, or answer without a call, and
// then nothing is known. grpc may run OnFinish late, on a goroutine of its own, so each attempt has
// evidence of its own.
type evidence struct {
	peer     peer.Peer
	finished atomic.Bool
}

// noPeer stands where grpc puts the address of the server.
var noPeer net.Addr = &net.UnixAddr{Name: "never sent"}

// option returns the call option that tells where the attempt got.
func (e *evidence) option() grpc.CallOption {
	e.peer.Addr = noPeer
	return grpc.Peer(&e.peer)
}

// unsent reports whether it is proved that the attempt got to no transport.
func (e *evidence) unsent() bool { return e.finished.Load() && e.peer.Addr == noPeer }
