package main

import "github.com/twmb/franz-go/pkg/kerr"

// What is wrong with some orders, by their last two digits.
const (
	worthless = 7
	garbled   = 19
	tooLarge  = 42 // its invoice is
	unlucky   = 77 // each attempt to write its invoice fails, though another might have succeeded
)

// mishaps is what happens in the run: which records meet what, and in which attempt.
func mishaps(topic string, order, nth int) mishap {
	switch {
	case order == 0: // no order: a dead letter
	case topic == deadLetters && nth == 1:
		return mishap{name: "not enough replicas", code: kerr.NotEnoughReplicas, once: true}
	case topic == deadLetters:
	case order%100 == tooLarge:
		return mishap{name: "message too large", code: kerr.MessageTooLarge}
	case order%100 == unlucky:
		return mishap{name: "not enough replicas", code: kerr.NotEnoughReplicas, alone: true}
	case order%10 == 3:
		return mishap{name: "not enough replicas", code: kerr.NotEnoughReplicas, once: true}
	case order%20 == 5: // an error, and it is written
		return mishap{name: "not enough replicas after append", code: kerr.NotEnoughReplicasAfterAppend, once: true}
	case order%20 == 16:
		return mishap{name: "reply lost", lost: true, once: true}
	}
	return mishap{}
}
