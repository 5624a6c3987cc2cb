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
	partitionCount = 3
	customerCount  = 20
)

// network connects the broker and its clients. The zero network is the loopback interface.
type network struct {
	listen func(network, address string) (net.Listener, error)
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// fault is what happens to a produce request with a certain record, and so to all records in its batch.
type fault struct {
	name       string      // in the report
	code       *kerr.Error // the error in the reply
	lost       bool        // the records are written, but the connection breaks before the reply
	silent     bool        // there is no reply
	singleOnly bool        // for a record that is alone in its batch; a larger batch is refused as too large
	freshOnly  bool        // for a batch of new records only, so that no record loses all its attempts to the faults of others
}

// broker is a fake Kafka broker with faults.
type broker struct {
	fake    *kfake.Cluster
	network network
	faults  func(topic string, order, nth int) fault

	mu        sync.Mutex
	requests  map[string]int // number of requests with a record, by topic and order
	counts    map[string]int // number of faults, by name
	lostBatch []byte         // the batch whose reply is lost next
}

// newBroker starts a broker. It calls faults for each record of each produce request. Nth is the number of
// requests with the order in the topic so far, from 1.
func newBroker(n network, faults func(topic string, order, nth int) fault) (*broker, error) {
	if n.dial == nil {
		n.dial = new(net.Dialer).DialContext
	}
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(partitionCount, orders, invoices), kfake.SeedTopics(1, deadLetters)}
	if n.listen != nil {
		options = append(options, kfake.ListenFn(n.listen))
	}
	fake, err := kfake.NewCluster(options...)
	if err != nil {
		return nil, err
	}
	b := &broker{fake: fake, network: n, faults: faults, requests: map[string]int{}, counts: map[string]int{}}
	fake.ControlKey(int16(kmsg.Produce), b.onProduce)
	return b, nil
}

func (b *broker) close() { b.fake.Close() }

// options returns the options of a client. The short metadata age makes it notice a new leader at once.
func (b *broker) options() []kgo.Opt {
	return []kgo.Opt{
		kgo.SeedBrokers(b.fake.ListenAddrs()...),
		kgo.Dialer(b.network.dial),
		kgo.MetadataMinAge(10 * time.Millisecond),
	}
}

// lossyOptions returns the options of a client whose replies can get lost.
func (b *broker) lossyOptions() []kgo.Opt {
	return append(b.options(), kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := b.network.dial(ctx, network, address)
		return &conn{Conn: c, losesReply: b.losesReply}, err
	}))
}

// placeOrders writes n orders. The key of each is its customer.
func (b *broker) placeOrders(ctx context.Context, n int) error {
	client, err := kgo.NewClient(b.options()...)
	if err != nil {
		return err
	}
	defer client.Close()
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = orderRecord(i + 1)
	}
	return client.ProduceSync(ctx, records...).FirstErr()
}

// orderRecord returns the record of the order with that number.
func orderRecord(number int) *kgo.Record {
	o := order{Number: number, Customer: fmt.Sprintf("customer %d", number%customerCount), Cents: int64(number * 100)}
	if number%100 == zeroAmount {
		o.Cents = 0
	}
	value, err := json.Marshal(o)
	if err != nil {
		panic(err) // an order can always be encoded
	}
	if number%100 == invalidJSON {
		value = value[:len(value)/2]
	}
	return &kgo.Record{
		Topic: orders, Key: []byte(o.Customer), Value: value,
		Headers: []kgo.RecordHeader{header("shop", "north")},
	}
}

// onProduce decides what happens to a produce request.
func (b *broker) onProduce(request kmsg.Request) (kmsg.Response, error, bool) {
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
			f, err := b.faultOf(topic, p.Records)
			switch {
			case err != nil:
				return nil, err, true
			case f.silent:
				return nil, nil, true
			case f.lost:
				b.mu.Lock()
				b.lostBatch = p.Records
				b.mu.Unlock()
			case f.code != nil:
				b.fake.Fault(kfake.Fault{
					Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Partitions: []int32{p.Partition}, Err: f.code,
				})
			}
		}
	}
	return nil, nil, false
}

// faultOf returns what happens to a batch: the first fault of a record in it. A fault that is not freshOnly
// comes first. Otherwise its record would be written after all.
func (b *broker) faultOf(topic string, raw []byte) (chosen fault, err error) {
	var batch kmsg.RecordBatch
	if err := batch.ReadFrom(raw); err != nil {
		return chosen, err
	}
	records, err := kfake.BatchRecords(batch)
	if err != nil {
		return chosen, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fresh, all := true, []fault(nil)
	for _, r := range records {
		var o order
		_ = json.Unmarshal(r.Value, &o) // a dead letter need not be an order
		id := fmt.Sprint(topic, o.Number)
		b.requests[id]++
		fresh = fresh && b.requests[id] == 1
		all = append(all, b.faults(topic, o.Number, b.requests[id]))
	}
	for _, f := range all {
		if f == (fault{}) || f.freshOnly && !fresh {
			continue
		}
		if chosen == (fault{}) || chosen.freshOnly && !f.freshOnly {
			chosen = f
		}
	}
	if chosen.singleOnly && len(all) > 1 {
		chosen = fault{name: "batch too large", code: kerr.RecordListTooLarge}
	}
	if chosen != (fault{}) {
		b.counts[chosen.name]++
	}
	return chosen, nil
}

// faultCounts returns how often each fault happened.
func (b *broker) faultCounts() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.counts)
}

// losesReply reports whether the reply to the request is lost. It says so once for each lost batch.
func (b *broker) losesReply(request []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lostBatch == nil || !bytes.Contains(request, b.lostBatch) {
		return false
	}
	b.lostBatch = nil
	return true
}

// conn is a producer's connection that can lose the reply to a request.
type conn struct {
	net.Conn
	losesReply func(request []byte) bool

	mu   sync.Mutex
	last []byte // the last produce request
}

// Write keeps a produce request. The client writes a request with one call, and has one produce request on
// its way at a time. The kind of a request follows its length.
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
	if n > 0 && c.losesReply(c.last) {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
