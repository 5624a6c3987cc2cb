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

// A message is a call to the instruments of retryotel: one for each, with all of its attempts.
func TestRecorder(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	})
	require.NoError(t, err)
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	require.True(t, s.ReadyForConnections(10*time.Second))
	conn, err := connect(s.ClientURL())
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
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
	assert.EqualValues(t, 1, got["retry.calls"])
	assert.EqualValues(t, 3, got["retry.call.attempts"])
	assert.EqualValues(t, 3, got["retry.attempt.duration"])
}
