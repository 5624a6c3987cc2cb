package retrygrpc

import (
	"net"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
)

// sendProof tells whether an attempt reached a transport. If it did, grpc sets the Peer of the call
// before it runs OnFinish. An attempt whose OnFinish ran and whose Peer is unchanged was never sent.
//
// Both signs are needed. An inner interceptor may drop call options or answer without a call, and
// then nothing is proved. grpc may run OnFinish late, on its own goroutine, so each attempt has its
// own sendProof.
type sendProof struct {
	peer     peer.Peer
	finished atomic.Bool // OnFinish ran
}

// noPeer is the Peer's address until grpc sets another.
var noPeer net.Addr = &net.UnixAddr{Name: "never sent"}

// peerOption returns the call option that lets grpc set the Peer.
func (p *sendProof) peerOption() grpc.CallOption {
	p.peer.Addr = noPeer
	return grpc.Peer(&p.peer)
}

// neverSent reports whether it is proved that the attempt reached no transport.
func (p *sendProof) neverSent() bool { return p.finished.Load() && p.peer.Addr == noPeer }
