package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// broker is a NATS server in this process, with a stream and a connection to it.
type broker struct {
	dir    string
	server *server.Server
	conn   *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
	state  jetstream.KeyValue
}

func newBroker() (b *broker, err error) {
	b = &broker{}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.dir, err = os.MkdirTemp("", "nats"); err != nil {
		return nil, err
	}
	b.server, err = server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: b.dir, NoLog: true, NoSigs: true,
	})
	if err != nil {
		return nil, err
	}
	b.server.Start()
	if !b.server.ReadyForConnections(10 * time.Second) {
		return nil, errors.New("the NATS server does not start")
	}
	return b, b.setUp(context.Background())
}

func (b *broker) setUp(ctx context.Context) (err error) {
	if b.conn, err = nats.Connect(b.server.ClientURL()); err != nil {
		return err
	}
	if b.js, err = jetstream.New(b.conn); err != nil {
		return err
	}
	if b.stream, err = b.js.CreateStream(ctx, jetstream.StreamConfig{Name: "JOBS", Subjects: []string{"jobs"}}); err != nil {
		return err
	}
	b.state, err = b.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "state", TTL: time.Hour})
	return err
}

// fill empties the stream and publishes n new messages.
func (b *broker) fill(ctx context.Context, n int) error {
	if err := b.stream.Purge(ctx); err != nil {
		return err
	}
	for range n {
		if _, err := b.js.PublishAsync("jobs", make([]byte, 100)); err != nil {
			return err
		}
	}
	select {
	case <-b.js.PublishAsyncComplete():
		return nil
	case <-time.After(time.Minute):
		return errors.New("publishing takes more than a minute")
	}
}

// consumer creates a consumer of the stream.
func (b *broker) consumer(ctx context.Context, backOff []time.Duration) (jetstream.Consumer, error) {
	config := jetstream.ConsumerConfig{
		Durable: "bench", AckPolicy: jetstream.AckExplicitPolicy, BackOff: backOff, MaxAckPending: 100_000,
	}
	if backOff != nil {
		config.MaxDeliver = len(backOff) + 10
	}
	return b.stream.CreateConsumer(ctx, config)
}

func (b *broker) close() {
	if b.conn != nil {
		b.conn.Close()
	}
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
	_ = os.RemoveAll(b.dir)
}
