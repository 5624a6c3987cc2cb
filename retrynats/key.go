package retrynats

import (
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// Key returns an idempotency key for the message: its Nats-Msg-Id if the publisher set one, else
// "stream:sequence". It is the same in every attempt. A message that is not from JetStream has an
// empty key.
//
// A message that was published twice is two messages. They have the same key only if the publisher
// gave both the same Nats-Msg-Id, see jetstream.WithMsgID.
func Key(msg jetstream.Msg) string {
	if id := msg.Headers().Get(jetstream.MsgIDHeader); id != "" {
		return id
	}
	meta, err := msg.Metadata()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", meta.Stream, meta.Sequence.Stream)
}

// stateKey returns the key of the message's entry in Config.State.
func stateKey(m *jetstream.MsgMetadata) string {
	return fmt.Sprintf("%s.%s.%d", escape(m.Stream), escape(m.Consumer), m.Sequence.Stream)
}

// escape writes bytes that are not allowed in a key as =XX. The names of streams and consumers may be
// in any language.
func escape(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}
