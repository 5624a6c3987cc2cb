package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	partitions = 3
	customers  = 20
)

// network is how broker and clients reach each other. The zero network is the loopback interface.
type network struct {
	listen func(network, address string) (net.Listener, error)
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// mishap is what happens to a request to write a record, and so to all that are in a batch with it.
type mishap struct {
	name   string
	code   *kerr.Error // the answer
	lost   bool        // the records are written, and the connection breaks instead of the reply
	silent bool        // there is no answer at all
	alone  bool        // it is met by a record that is alone; a batch of several is refused, for the others in it
	once   bool        // it spares a batch with a record that was sent before: a record is not to run out of attempts by its company
}

// broker is a fake of a Kafka that things happen to.
type broker struct {
	fake    *kfake.Cluster
	network network
	mishaps func(topic string, order, nth int) mishap

	mu   sync.Mutex
	seen map[string]int // how many requests carried a record, by topic and order
	had  map[string]int // mishaps by name
	lose []byte         // the batch whose reply is to get lost
}

// newBroker starts a broker. It asks mishaps about each record in each request to write some: nth is how
// many times the order has come so far in the topic, from 1.
func newBroker(n network, mishaps func(topic string, order, nth int) mishap) (*broker, error) {
	if n.dial == nil {
		n.dial = new(net.Dialer).DialContext
	}
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(partitions, orders, invoices), kfake.SeedTopics(1, deadLetters)}
	if n.listen != nil {
		options = append(options, kfake.ListenFn(n.listen))
	}
	fake, err := kfake.NewCluster(options...)
	if err != nil {
		return nil, err
	}
	b := &broker{fake: fake, network: n, mishaps: mishaps, seen: map[string]int{}, had: map[string]int{}}
	fake.ControlKey(int16(kmsg.Produce), b.control)
	return b, nil
}

func (b *broker) close() { b.fake.Close() }

// options are those of a client. The broker's only change of leader is to be noticed at once.
func (b *broker) options() []kgo.Opt {
	return []kgo.Opt{
		kgo.SeedBrokers(b.fake.ListenAddrs()...),
		kgo.Dialer(b.network.dial),
		kgo.MetadataMinAge(10 * time.Millisecond),
	}
}

// lossy are those of a client whose replies can get lost.
func (b *broker) lossy() []kgo.Opt {
	return append(b.options(), kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := b.network.dial(ctx, network, address)
		return &conn{Conn: c, loses: b.loses}, err
	}))
}

// place writes the orders, each with its customer as the key.
func (b *broker) place(ctx context.Context, n int) error {
	client, err := kgo.NewClient(b.options()...)
	if err != nil {
		return err
	}
	defer client.Close()
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = placed(i + 1)
	}
	return client.ProduceSync(ctx, records...).FirstErr()
}

func placed(number int) *kgo.Record {
	o := order{Number: number, Customer: fmt.Sprintf("customer %d", number%customers), Cents: int64(number * 100)}
	if number%100 == worthless {
		o.Cents = 0
	}
	value, err := json.Marshal(o)
	if err != nil {
		panic(err) // there is nothing in it that JSON has not
	}
	if number%100 == garbled {
		value = value[:len(value)/2]
	}
	return &kgo.Record{
		Topic: orders, Key: []byte(o.Customer), Value: value,
		Headers: []kgo.RecordHeader{header("shop", "north")},
	}
}

// control looks at a request to write and decides what happens to it.
func (b *broker) control(request kmsg.Request) (kmsg.Response, error, bool) {
	b.fake.KeepControl()
	for _, t := range request.(*kmsg.ProduceRequest).Topics {
		topic := t.Topic
		if info := b.fake.TopicIDInfo(t.TopicID); topic == "" && info != nil {
			topic = info.Topic
		}
		if topic == orders {
			continue
		}
		for _, p := range t.Partitions {
			m, err := b.decide(topic, p.Records)
			switch {
			case err != nil:
				return nil, err, true
			case m.silent:
				return nil, nil, true
			case m.lost:
				b.mu.Lock()
				b.lose = p.Records
				b.mu.Unlock()
			case m.code != nil:
				b.fake.Fault(kfake.Fault{
					Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Partitions: []int32{p.Partition}, Err: m.code,
				})
			}
		}
	}
	return nil, nil, false
}

// decide returns what happens to a batch: the first mishap that a record in it has. One that a record
// meets whatever its company comes before those that spare some, or it would be written after all.
func (b *broker) decide(topic string, raw []byte) (is mishap, err error) {
	var batch kmsg.RecordBatch
	if err := batch.ReadFrom(raw); err != nil {
		return is, err
	}
	records, err := kfake.BatchRecords(batch)
	if err != nil {
		return is, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fresh, all := true, []mishap(nil)
	for _, r := range records {
		var o order
		_ = json.Unmarshal(r.Value, &o) // a dead letter may be anything
		id := fmt.Sprint(topic, o.Number)
		b.seen[id]++
		fresh = fresh && b.seen[id] == 1
		all = append(all, b.mishaps(topic, o.Number, b.seen[id]))
	}
	for _, m := range all {
		if m == (mishap{}) || m.once && !fresh {
			continue
		}
		if is == (mishap{}) || is.once && !m.once {
			is = m
		}
	}
	if is.alone && len(all) > 1 {
		is = mishap{name: "batch too large", code: kerr.RecordListTooLarge}
	}
	if is != (mishap{}) {
		b.had[is.name]++
	}
	return is, nil
}

// met returns how often each mishap happened.
func (b *broker) met() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.had)
}

// loses reports, once, whether the reply to a request is to get lost.
func (b *broker) loses(request []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lose == nil || !bytes.Contains(request, b.lose) {
		return false
	}
	b.lose = nil
	return true
}

// conn is a writer's connection that can lose the reply to a request that was carried out.
type conn struct {
	net.Conn
	loses func(request []byte) bool

	mu   sync.Mutex
	last []byte // the request to write records that waits for its reply
}

// Write notes what is asked. The client sends a request with one call, and has one to write records on
// its way at a time; what kind it is follows the length.
func (c *conn) Write(b []byte) (int, error) {
	if len(b) > 5 && int16(b[4])<<8|int16(b[5]) == int16(kmsg.Produce) {
		c.mu.Lock()
		c.last = bytes.Clone(b)
		c.mu.Unlock()
	}
	return c.Conn.Write(b)
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > 0 && c.loses(c.last) {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
