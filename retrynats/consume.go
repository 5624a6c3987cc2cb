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
	pullTime = 3 * time.Second        // that a request for messages waits at the server
	linger   = 100 * time.Millisecond // for messages that are on their way when Consume ends
)

// Consume works on the messages of the consumer with the handler until ctx ends; it then returns
// nil. Each delivery is one attempt under the policy: what succeeds is acknowledged, what failed
// comes back after the policy's wait, and what failed for good goes to Config.DeadLetter.
//
// Messages whose handlers run when ctx ends get a context that has ended too. Consume waits for
// them, see [Config].Grace. An attempt that fails by that is no failure: the message is
// given back at once and, with Config.State, not counted.
//
// Everything that is wrong with the arguments is in one error, which matches retry.ErrOption,
// before a message is taken. Consume also returns an error when the consumer or its stream was
// deleted and when the connection was closed. It waits for a server that is away.
//
// Several processes, and several calls in one, may consume from the same consumer. While Consume
// runs, do not call Info of c, which is not safe for concurrent use; get another one from js.
func Consume(ctx context.Context, js jetstream.JetStream, c jetstream.Consumer, h Handler, cfg Config) error {
	run := newConsumption(ctx, js, c, h, cfg)
	defer run.cancel(nil)
	if err := run.check(); err != nil {
		if ctx.Err() != nil && !errors.As(err, new(fault)) {
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
	policies policies

	ctx    context.Context         // ends with Consume's, or when there is nothing more to consume
	cancel context.CancelCauseFunc // of ctx
	life   context.Context         // does not end: what is begun is to be settled
	jobs   context.Context         // of handlers: as ctx, without its deadline
	pulls  context.Context         // of requests for messages: a little longer than ctx

	stream, name string // of the consumer

	ackWait   time.Duration
	pullTime  time.Duration
	markerTTL time.Duration // of what a purge leaves in State
	missing   atomic.Int32  // how often in a row the consumer was not found

	workers   sync.WaitGroup
	held      holder
	reconnect reconnects
}

func newConsumption(ctx context.Context, js jetstream.JetStream, consumer jetstream.Consumer, h Handler, cfg Config) *consumption {
	c := &consumption{js: js, consumer: consumer, handler: h, cfg: cfg, log: cfg.Logger, pullTime: pullTime}
	if c.log == nil {
		c.log = slog.Default()
	}
	c.life = context.WithoutCancel(ctx)
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	c.policies = newPolicies(c.log, 0)
	return c
}

// start begins to consume.
func (c *consumption) start() {
	var end, endPulls context.CancelFunc
	c.jobs, end = context.WithCancel(c.life)
	c.pulls, endPulls = context.WithCancel(c.life)
	context.AfterFunc(c.ctx, func() {
		end()
		time.AfterFunc(linger, endPulls)
	})
	c.reconnect.watch(c.ctx, c.js.Conn())
	c.held.keep(c.ackWait / 3)
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

// wait returns when the workers have, or when the grace for them is over.
func (c *consumption) wait() {
	done := make(chan struct{})
	go func() {
		c.workers.Wait()
		close(done)
	}()
	defer c.held.release()
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

// abandon leaves the handlers that still run. Their attempts do not count, because the process
// stops; the server delivers their messages again when AckWait is over.
func (c *consumption) abandon() {
	var writes sync.WaitGroup
	for _, d := range c.held.all() {
		if !d.running.Load() || !d.claim() {
			continue
		}
		c.log.Warn("retrynats: a handler still runs after Config.Grace and is left", "message", Key(d.msg))
		if c.cfg.State != nil {
			writes.Go(func() { _ = c.write(d) })
		}
	}
	writes.Wait()
}
