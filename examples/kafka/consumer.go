package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/semaphore"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

const (
	group    = "invoicing"
	batch    = 100              // records that are read at once, at most
	capacity = 2 * batch        // that are worked on
	grace    = 15 * time.Second // for what was begun; with a dead letter it must be below the group's rebalance timeout
)

// job is the work on a record.
type job struct {
	in    *kgo.Record
	share *share
	// out makes the record to be sent, in the first attempt, and returns the same one in each.
	out func() (*kgo.Record, error)
}

func newJob(in *kgo.Record, s *share) *job {
	return &job{in: in, share: s, out: sync.OnceValues(func() (*kgo.Record, error) { return invoiceOf(in) })}
}

// consumer makes invoices of orders.
type consumer struct {
	client   *kgo.Client
	producer *producer
	pool     *retrypool.Pool[*job, struct{}]
	room     *semaphore.Weighted // in the pool
	settled  func()              // told of each order, one at a time

	// shares is the poll loop's, and between two rounds of it that of the client's callbacks: they
	// never run at the same time, see kgo.BlockRebalanceOnPoll.
	shares map[int32]*share

	mu   sync.Mutex
	stop context.CancelFunc // ends the poll loop
	errs []error            // why
}

func newConsumer(b *broker, settled func(), options ...kgo.Opt) (c *consumer, err error) {
	c = &consumer{room: semaphore.NewWeighted(capacity), settled: settled, shares: map[int32]*share{}}
	if c.producer, err = newProducer(b.lossy()...); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.producer.close()
		}
	}()
	options = append([]kgo.Opt{
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(orders),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		// The client commits in the background, but only what it is told that is settled.
		kgo.AutoCommitMarks(),
		kgo.AutoCommitInterval(time.Second),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsRevoked(c.revoked),
		kgo.OnPartitionsLost(c.lost),
	}, append(b.options(), options...)...)
	if c.client, err = kgo.NewClient(options...); err != nil {
		return nil, err
	}
	c.pool, err = retrypool.New(c.send, retrypool.Config[*job]{
		Workers:  16,
		Capacity: capacity,
		Policy:   policy,
		// One order of a customer at a time, in the order they were placed, retries included: all of them
		// are in one partition. With the partition as the key an order that has to wait would hold up
		// all customers of its partition.
		Key:        func(j *job) string { return string(j.in.Key) },
		DeadLetter: c.deadLetter,
		Events: retrypool.Events[*job]{
			Succeeded:    c.done,
			DeadLettered: c.done,
			Failed:       c.stuck,
			Canceled:     c.abandoned,
		},
	})
	if err != nil {
		c.client.Close()
	}
	return c, err
}

// run consumes until ctx ends or an order cannot be settled. It then finishes what it has begun, if
// the grace suffices, commits what is settled and leaves the group.
func (c *consumer) run(ctx context.Context) error {
	ctx, c.stop = context.WithCancel(ctx)
	defer c.stop()
	for ctx.Err() == nil {
		c.poll(ctx)
	}
	c.client.CloseAllowingRebalance() // calls revoked with all that there is
	err := c.pool.Close(context.WithoutCancel(ctx))
	c.producer.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(append(c.errs, err)...)
}

// poll reads a batch and hands it to the pool. It waits for room before it reads, not in Submit: from a
// poll that returned records until AllowRebalance the group has to wait for this consumer.
func (c *consumer) poll(ctx context.Context) {
	if c.room.Acquire(ctx, batch) != nil {
		return
	}
	fetches := c.client.PollRecords(ctx, batch)
	defer c.client.AllowRebalance()
	records := fetches.Records()
	c.room.Release(int64(batch - len(records)))
	for _, f := range fetches.Errors() {
		// What may pass the client tries again by itself, and a group that it fell out of it joins again.
		if again := (*kgo.ErrGroupSession)(nil); ctx.Err() == nil && !errors.As(f.Err, &again) {
			c.fail(fmt.Errorf("read %s: %w", f.Topic, f.Err))
		}
	}
	for _, r := range records {
		c.take(r)
	}
}

// take hands a record to the pool. The work on it ends with the share, not with run's context.
func (c *consumer) take(r *kgo.Record) {
	s := c.shares[r.Partition]
	if s == nil {
		s = newShare(context.Background(), func(last *kgo.Record) { c.client.MarkCommitRecords(last) })
		c.shares[r.Partition] = s
	}
	s.add(r)
	j := newJob(r, s)
	if _, err := c.pool.Submit(s.ctx, j); err != nil { // only if the share was canceled
		c.leave(j)
	}
}

// send makes one attempt.
func (c *consumer) send(ctx context.Context, j *job) (struct{}, error) {
	out, err := j.out()
	if err != nil {
		return struct{}{}, err
	}
	return struct{}{}, c.producer.send(ctx, out)
}

// deadLetter puts an order away that failed for good, if that is the order's fault or its time was up.
func (c *consumer) deadLetter(ctx context.Context, j *job, failure *retry.Error) error {
	if refused(failure.Err) && !atFault(failure.Err) {
		return errors.New("the order is not to blame")
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	letter := letterOf(j.in, failure)
	return letterPolicy.Do(ctx, func(ctx context.Context) error { return c.producer.send(ctx, letter) })
}

// done is told of an order that was sent or put away.
func (c *consumer) done(e retrypool.Event[*job]) {
	e.Item.share.settled(e.Item.in)
	c.leave(e.Item)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled()
}

// stuck is told of an order that could be neither sent nor put away. Nothing behind it in its partition
// will be committed, and the customer's next must not overtake it: the partition is given up, and the
// next consumer begins with this order.
func (c *consumer) stuck(e retrypool.Event[*job]) {
	c.fail(fmt.Errorf("%s: %w", origin(e.Item.in), e.Err))
	e.Item.share.cancel()
	c.leave(e.Item)
}

// abandoned is told of an order of a share that was canceled.
func (c *consumer) abandoned(e retrypool.Event[*job]) { c.leave(e.Item) }

func (c *consumer) leave(j *job) {
	c.room.Release(1)
	j.share.work.Done()
}

func (c *consumer) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errs = append(c.errs, err)
	c.stop()
}

// revoked is called when partitions go to another consumer, or all because this one leaves: it finishes
// what it has of them and commits that. Whatever the grace is too short for is the next one's.
func (c *consumer) revoked(ctx context.Context, client *kgo.Client, partitions map[string][]int32) {
	gone := c.drop(partitions)
	for _, s := range gone {
		defer time.AfterFunc(grace, s.cancel).Stop()
	}
	for _, s := range gone {
		s.work.Wait()
		s.cancel()
	}
	if err := client.CommitMarkedOffsets(ctx); err != nil {
		c.fail(fmt.Errorf("commit: %w", err))
	}
}

// lost is called when partitions have gone to another consumer already: nothing can be committed. The
// client lets go of a record that waits behind a request on its way only when that has ended, which an
// attempt's timeout bounds. Not to wait for it would let it be written later than what comes after it.
func (c *consumer) lost(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	for _, s := range c.drop(partitions) {
		s.cancel()
		s.work.Wait()
	}
}

func (c *consumer) drop(partitions map[string][]int32) (gone []*share) {
	for _, p := range partitions[orders] {
		if s := c.shares[p]; s != nil {
			gone = append(gone, s)
			delete(c.shares, p)
		}
	}
	return gone
}
