package retrynats_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
	"github.com/seed-205ff063/retry/retryotel"
)

// newJetStream starts a server in this process and connects to it.
func newJetStream(t *testing.T) jetstream.JetStream {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	require.True(t, s.ReadyForConnections(10*time.Second))
	conn, err := connect(s.ClientURL())
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	return js
}

// retryotel counts a message as one call, with all of its attempts.
func TestRecorder(t *testing.T) {
	t.Parallel()
	js := newJetStream(t)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	jobs, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "JOBS", Subjects: []string{"jobs"}})
	require.NoError(t, err)
	state, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "state"})
	require.NoError(t, err)
	consumer, err := jobs.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "worker", AckPolicy: jetstream.AckExplicitPolicy})
	require.NoError(t, err)
	_, err = js.Publish(ctx, "jobs", nil)
	require.NoError(t, err)

	reader := sdkmetric.NewManualReader()
	recorder, err := retryotel.New(retryotel.Config{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
	require.NoError(t, err)
	attempts := 0
	policy := retry.MustNew(retry.WithBackoff(retry.Constant(time.Millisecond)), retry.WithHooks(recorder.Hooks()))
	require.NoError(t, retrynats.Consume(ctx, js, consumer, func(context.Context, jetstream.Msg) error {
		if attempts++; attempts < 3 {
			return errors.New("down")
		}
		stop()
		return nil
	}, retrynats.Config{Policy: policy, State: state}))

	got := collect(t, reader)
	assert.EqualValues(t, 1, got["retry.calls"])
	assert.EqualValues(t, 3, got["retry.call.attempts"])
	assert.EqualValues(t, 3, got["retry.attempt.duration"])
}

// collect returns a figure for each instrument: the value of a counter, the sum of a histogram of
// numbers, and the count of a histogram of durations.
func collect(t *testing.T, reader sdkmetric.Reader) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.Background(), &all))
	got := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					got[m.Name] += p.Value
				}
			case metricdata.Histogram[int64]:
				got[m.Name] += data.DataPoints[0].Sum
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					got[m.Name] += int64(p.Count)
				}
			}
		}
	}
	return got
}
