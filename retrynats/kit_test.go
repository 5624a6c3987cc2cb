package retrynats_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

// kit is a server with a stream JOBS, its consumer "worker", a stream DEAD for dead letters and a
// bucket for State.
type kit struct {
	server   *server.Server
	dir      string
	conn     *nats.Conn
	js       jetstream.JetStream
	jobs     jetstream.Stream
	consumer jetstream.Consumer
	state    jetstream.KeyValue
	log      *logBuffer
}

const ackWait = 2 * time.Second

func newKit(t testing.TB, change ...func(*jetstream.ConsumerConfig)) *kit {
	t.Helper()
	k := &kit{dir: t.TempDir(), log: &logBuffer{}}
	k.startServer(t, -1)
	var err error
	k.conn, err = nats.Connect(k.server.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(k.conn.Close)
	k.js, err = jetstream.New(k.conn)
	require.NoError(t, err)
	ctx := t.Context()
	k.jobs, err = k.js.CreateStream(ctx, jetstream.StreamConfig{Name: "JOBS", Subjects: []string{"jobs.>"}})
	require.NoError(t, err)
	_, err = k.js.CreateStream(ctx, jetstream.StreamConfig{Name: "DEAD", Subjects: []string{"dead.>"}})
	require.NoError(t, err)
	k.state, err = k.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "state"})
	require.NoError(t, err)
	config := jetstream.ConsumerConfig{Durable: "worker", AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait}
	for _, c := range change {
		c(&config)
	}
	k.consumer, err = k.jobs.CreateConsumer(ctx, config)
	require.NoError(t, err)
	return k
}

func (k *kit) startServer(t testing.TB, port int) {
	t.Helper()
	var err error
	k.server, err = server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: k.dir, NoLog: true, NoSigs: true,
	})
	require.NoError(t, err)
	k.server.Start()
	require.True(t, k.server.ReadyForConnections(10*time.Second))
	t.Cleanup(k.stopServer)
}

// port returns the port of the server.
func (k *kit) port(t *testing.T) int {
	t.Helper()
	address, ok := k.server.Addr().(*net.TCPAddr)
	require.True(t, ok)
	return address.Port
}

func (k *kit) stopServer() {
	k.server.Shutdown()
	k.server.WaitForShutdown()
}

// publish adds n jobs to the stream. Their names are job1, job2, ….
func (k *kit) publish(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		name := fmt.Sprint("job", i+1)
		_, err := k.js.Publish(t.Context(), "jobs."+name, []byte(name), jetstream.WithMsgID(name))
		require.NoError(t, err)
	}
}

// config returns a Config that tests start from.
func (k *kit) config(opts ...retry.Option) retrynats.Config {
	return retrynats.Config{
		Policy:     policy(opts...),
		DeadLetter: "dead.jobs",
		State:      k.state,
		Logger:     slog.New(slog.NewTextHandler(k.log, nil)),
	}
}

func policy(opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append([]retry.Option{retry.WithBackoff(retry.Constant(10 * time.Millisecond))}, opts...)...)
}

// consume runs Consume until the test ends or stop is called.
func (k *kit) consume(t *testing.T, cfg retrynats.Config, h retrynats.Handler) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- retrynats.Consume(ctx, k.js, k.consumer, h, cfg) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { _ = stop() })
	return stop
}

// idle waits until the consumer has nothing left. It looks several times, because a message that is
// being delivered is neither pending nor delivered for a moment.
func (k *kit) idle(t *testing.T) {
	t.Helper()
	looks := 0
	require.Eventually(t, func() bool {
		info, err := k.info()
		if err != nil || info.NumPending > 0 || info.NumAckPending > 0 {
			looks = 0
			return false
		}
		looks++
		return looks > 3
	}, 20*time.Second, 10*time.Millisecond, "%s", k.log)
}

// info asks the server about the consumer. It does not use k.consumer, because Info of that is not
// safe for concurrent use.
func (k *kit) info() (*jetstream.ConsumerInfo, error) {
	consumer, err := k.js.Consumer(context.Background(), "JOBS", "worker")
	if err != nil {
		return nil, err
	}
	return consumer.CachedInfo(), nil
}

// letters returns the dead letters.
func (k *kit) letters(t *testing.T) (letters []*jetstream.RawStreamMsg) {
	t.Helper()
	dead, err := k.js.Stream(t.Context(), "DEAD")
	require.NoError(t, err)
	for i := range dead.CachedInfo().State.LastSeq {
		letter, err := dead.GetMsg(t.Context(), i+1)
		require.NoError(t, err)
		letters = append(letters, letter)
	}
	return letters
}

// entries returns the keys of State that have a value.
func (k *kit) entries(t *testing.T) (keys []string) {
	t.Helper()
	list, err := k.state.ListKeys(t.Context())
	require.NoError(t, err)
	for key := range list.Keys() {
		keys = append(keys, key)
	}
	return keys
}

// attempts records when each message was handled, by its key.
type attempts struct {
	mu    sync.Mutex
	times map[string][]time.Time
}

func (a *attempts) note(msg jetstream.Msg) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.times == nil {
		a.times = map[string][]time.Time{}
	}
	key := retrynats.Key(msg)
	a.times[key] = append(a.times[key], time.Now())
	return len(a.times[key])
}

func (a *attempts) count(key string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.times[key])
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
