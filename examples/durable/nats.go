package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

const natsName = "NATS JetStream"

// natsEngine is a NATS server in this process, with its data in a folder.
type natsEngine struct {
	options server.Options
	server  *server.Server
	conn    *nats.Conn
	js      jetstream.JetStream
}

func newNATS(dir string) (*natsEngine, error) {
	e := &natsEngine{options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true,
		StoreDir: filepath.Join(dir, "nats"), NoLog: true, NoSigs: true,
	}}
	err := e.startServer()
	if err == nil {
		e.conn, e.js, err = connectNATS(e.address())
	}
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *natsEngine) startServer() (err error) {
	if e.server, err = server.NewServer(&e.options); err != nil {
		return err
	}
	e.server.Start()
	if !e.server.ReadyForConnections(10 * time.Second) {
		return errors.New("the NATS server does not start")
	}
	return nil
}

// connectNATS connects to the server. The connection waits for a server that is away.
func connectNATS(url string) (*nats.Conn, jetstream.JetStream, error) {
	conn, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(conn)
	return conn, js, err
}

func (e *natsEngine) name() string    { return natsName }
func (e *natsEngine) address() string { return e.server.ClientURL() }

// enqueue creates the streams and the consumer, and publishes the jobs. It removes earlier jobs, which a
// folder that was kept may have.
func (e *natsEngine) enqueue(ctx context.Context, n int) error {
	for name, subject := range map[string]string{"JOBS": "jobs", "DEAD": "dead"} {
		stream, err := e.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{subject}})
		if err != nil {
			return err
		}
		if err := stream.Purge(ctx); err != nil {
			return err
		}
	}
	if _, err := e.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: "attempts", TTL: 24 * time.Hour, LimitMarkerTTL: time.Hour,
	}); err != nil {
		return err
	}
	if _, err := e.js.CreateOrUpdateConsumer(ctx, "JOBS", jetstream.ConsumerConfig{
		Durable: "mailers", AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: 2 * time.Second, // another worker takes over a dead worker's jobs after that time
	}); err != nil {
		return err
	}
	for i := range n {
		if _, err := e.js.Publish(ctx, "jobs", []byte(strconv.Itoa(i+1))); err != nil {
			return err
		}
	}
	return nil
}

// workNATS is the worker of NATS.
func workNATS(ctx context.Context, url string, p *retry.Policy, h handler) error {
	conn, js, err := connectNATS(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	consumer, err := js.Consumer(ctx, "JOBS", "mailers")
	if err != nil {
		return err
	}
	state, err := js.KeyValue(ctx, "attempts")
	if err != nil {
		return err
	}
	return retrynats.Consume(ctx, js, consumer, func(ctx context.Context, msg jetstream.Msg) error {
		return h(ctx, retrynats.Key(msg), msg.Data())
	}, retrynats.Config{
		Policy: p, Workers: 4, DeadLetter: "dead", State: state,
		// Here servers and workers stop on purpose. Elsewhere warnings are worth reading.
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
}

// restart restarts the server at the same address with the same folder.
func (e *natsEngine) restart(context.Context) (done string, err error) {
	port, err := e.stopServer()
	if err != nil {
		return "", err
	}
	e.options.Port = port
	return "the server was restarted", e.startServer()
}

func (e *natsEngine) stopServer() (port int, err error) {
	_, err = fmt.Sscanf(e.server.Addr().String(), "127.0.0.1:%d", &port)
	e.server.Shutdown()
	e.server.WaitForShutdown()
	return port, err
}

func (e *natsEngine) left(ctx context.Context) (int, error) {
	consumer, err := e.js.Consumer(ctx, "JOBS", "mailers")
	if err != nil {
		return 0, err
	}
	info := consumer.CachedInfo()
	return int(info.NumPending) + info.NumAckPending, nil
}

func (e *natsEngine) deadLetters(ctx context.Context) (letters []deadLetter, err error) {
	dead, err := e.js.Stream(ctx, "DEAD")
	if err != nil {
		return nil, err
	}
	state := dead.CachedInfo().State
	for i := state.FirstSeq; i <= state.LastSeq; i++ {
		msg, err := dead.GetMsg(ctx, i)
		if err != nil {
			return nil, err
		}
		attempts, err := strconv.Atoi(msg.Header.Get(retrynats.HeaderAttempts))
		if err != nil {
			return nil, err
		}
		letters = append(letters, deadLetter{
			job: string(msg.Data), attempts: attempts,
			reason: msg.Header.Get(retrynats.HeaderReason), err: msg.Header.Get(retrynats.HeaderError),
		})
	}
	return letters, nil
}

func (e *natsEngine) close() error {
	if e.conn != nil {
		e.conn.Close()
	}
	if e.server == nil {
		return nil
	}
	e.server.Shutdown()
	e.server.WaitForShutdown()
	return nil
}
