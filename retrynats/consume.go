package retrynats

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	pullTime  = 3 * time.Second        // how long a request for messages waits at the server
	pullGrace = 100 * time.Millisecond // for messages on their way when Consume ends
)

// Consume handles the messages of the consumer until ctx ends. It then returns nil. Each delivery is
// one attempt under the policy:
//
//   - A message that succeeds is acknowledged.
//   - A message that fails comes again after the policy's wait.
//   - A message that failed for good goes to Config.DeadLetter.
//
// When ctx ends, the contexts of running handlers end too. Consume waits for the handlers, see
// [Config].Grace. An attempt that fails because of this does not count with Config.State. Its
// message is returned to the server at once.
//
// If the arguments are wrong, Consume takes no message. Its error names everything at once and
// matches retry.ErrOption. Consume also returns an error if the consumer or its stream was deleted,
// or if the connection was closed. It waits for a server that is away.
//
// Several processes, and several calls in one, may consume from one consumer. While Consume runs, do
// not call Info of c, which is not safe for concurrent use. Get another Consumer from js for that.
func Consume(ctx context.Context, js jetstream.JetStream, c jetstream.Consumer, h Handler, cfg Config) error {
	run := newConsumption(ctx, js, c, h, cfg)
	defer run.cancel(nil)
	if err := run.check(); err != nil {
		if ctx.Err() != nil && !errors.As(err, new(configError)) {
			return nil // before the server answered
		}
		return err
	}
	run.start()
	run.wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(run.ctx)
}

// consumption is one call of Consume.
type consumption struct {
	js       jetstream.JetStream
	consumer jetstream.Consumer
	handler  Handler
	cfg      Config
	log      *slog.Logger
	policies requestPolicies

	ctx        context.Context         // ends with Consume's, or if there is nothing more to consume
	cancel     context.CancelCauseFunc // of ctx
	endless    context.Context         // Consume's without its end
	handlerCtx context.Context         // ends with ctx; it has no deadline
	pullCtx    context.Context         // of requests for messages: ends a little later than ctx

	stream, name string // of the consumer

	ackWait   time.Duration
	pullTime  time.Duration
	markerTTL time.Duration // of what a purge leaves in State
	missing   atomic.Int32  // how often in a row the consumer was not found

	workers   sync.WaitGroup
	held      heldMessages
	reconnect lastReconnect
}

// newConsumption returns a consumption that has not started.
func newConsumption(ctx context.Context, js jetstream.JetStream, consumer jetstream.Consumer, h Handler, cfg Config) *consumption {
	c := &consumption{js: js, consumer: consumer, handler: h, cfg: cfg, log: cfg.Logger, pullTime: pullTime}
	if c.log == nil {
		c.log = slog.Default()
	}
	c.endless = context.WithoutCancel(ctx)
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	c.policies = newRequestPolicies(c.log, 0)
	return c
}

// start starts the workers.
func (c *consumption) start() {
	var endHandlers, endPulls context.CancelFunc
	c.handlerCtx, endHandlers = context.WithCancel(c.endless)
	c.pullCtx, endPulls = context.WithCancel(c.endless)
	context.AfterFunc(c.ctx, func() {
		endHandlers()
		time.AfterFunc(pullGrace, endPulls)
	})
	c.reconnect.watch(c.ctx, c.js.Conn())
	c.held.start(c.ackWait / 3)
	for range max(c.cfg.Workers, 1) {
		c.workers.Go(c.work)
	}
}

// fail ends Consume with an error.
func (c *consumption) fail(err error) {
	c.cancel(&goneError{err})
}

// goneError says that there is nothing more to consume.
type goneError struct{ err error }

func (e *goneError) Error() string { return "retrynats: nothing more to consume: " + e.err.Error() }
func (e *goneError) Unwrap() error { return e.err }

// wait waits for the end of ctx and then for the workers, no longer than Config.Grace.
func (c *consumption) wait() {
	done := make(chan struct{})
	go func() {
		c.workers.Wait()
		close(done)
	}()
	defer c.held.stop()
	<-c.ctx.Done()
	if c.cfg.Grace == 0 {
		<-done
		return
	}
	grace := time.NewTimer(c.cfg.Grace)
	defer grace.Stop()
	select {
	case <-done:
	case <-grace.C:
		c.abandon()
	}
}

// abandon gives up the handlers that still run. Their attempts do not count, because the process
// stops. The server delivers their messages again after AckWait.
func (c *consumption) abandon() {
	var writes sync.WaitGroup
	for _, d := range c.held.all() {
		if !d.running.Load() || !d.claim() {
			continue
		}
		c.log.Warn("retrynats: a handler still runs after Config.Grace and is abandoned", "message", Key(d.msg))
		if c.cfg.State != nil {
			writes.Go(func() { _ = c.writeEntry(d) })
		}
	}
	writes.Wait()
}
