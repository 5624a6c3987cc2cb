package main

import "github.com/twmb/franz-go/pkg/kerr"

// The last two digits of orders that become dead letters.
const (
	zeroAmount   = 7
	invalidJSON  = 19
	tooLarge     = 42 // the invoice is too large
	neverWritten = 77 // every attempt to write the invoice fails with a transient error
)

// faults returns the fault of a record in the nth request, for the run of the program.
func faults(topic string, order, nth int) fault {
	switch {
	case order == 0: // not an order
	case topic == deadLetters && nth == 1:
		return fault{name: "not enough replicas", code: kerr.NotEnoughReplicas, freshOnly: true}
	case topic == deadLetters:
	case order%100 == tooLarge:
		return fault{name: "message too large", code: kerr.MessageTooLarge}
	case order%100 == neverWritten:
		return fault{name: "not enough replicas", code: kerr.NotEnoughReplicas, singleOnly: true}
	case order%10 == 3:
		return fault{name: "not enough replicas", code: kerr.NotEnoughReplicas, freshOnly: true}
	case order%20 == 5: // the reply is an error, but the record is written
		return fault{name: "not enough replicas after append", code: kerr.NotEnoughReplicasAfterAppend, freshOnly: true}
	case order%20 == 16:
		return fault{name: "reply lost", lost: true, freshOnly: true}
	}
	return fault{}
}
