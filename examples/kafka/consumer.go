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
	batch    = 100       // most records of a poll
	capacity = 2 * batch // most records in the pool

	// grace is how long a consumer that stops waits for its records. Together with the time of a dead
	// letter it must be below the group's rebalance timeout.
	grace = 15 * time.Second
)

// job is the work on one record.
type job struct {
	in        *kgo.Record
	partition *partition
	// out returns the record to send. The first attempt makes it, and all attempts send the same one.
	out func() (*kgo.Record, error)
}

func newJob(in *kgo.Record, p *partition) *job {
	return &job{in: in, partition: p, out: sync.OnceValues(func() (*kgo.Record, error) { return invoiceOf(in) })}
}

// consumer makes invoices of orders.
type consumer struct {
	client   *kgo.Client
	producer *producer
	pool     *retrypool.Pool[*job, struct{}]
	slots    *semaphore.Weighted // free places in the pool
	settled  func()              // called for each settled order, one at a time

	// partitions is used by the poll loop and by the client's callbacks. These never run at the same
	// time, because of kgo.BlockRebalanceOnPoll.
	partitions map[int32]*partition

	mu   sync.Mutex
	stop context.CancelFunc // ends the poll loop
	errs []error            // why it ended
}

func newConsumer(b *broker, settled func(), options ...kgo.Opt) (c *consumer, err error) {
	c = &consumer{slots: semaphore.NewWeighted(capacity), settled: settled, partitions: map[int32]*partition{}}
	if c.producer, err = newProducer(b.lossyOptions()...); err != nil {
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
		// The client commits in the background, but only records that are marked.
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
		// One order of a customer at a time, retries included. All orders of a customer are in one
		// partition. With the partition as the key, an order that waits would hold up all customers of
		// its partition.
		Key:        func(j *job) string { return string(j.in.Key) },
		DeadLetter: c.deadLetter,
		Events: retrypool.Events[*job]{
			Succeeded:    c.done,
			DeadLettered: c.done,
			Failed:       c.failed,
			Canceled:     c.canceled,
		},
	})
	if err != nil {
		c.client.Close()
	}
	return c, err
}

// run consumes until ctx ends or an order cannot be settled. It then waits up to grace for the orders it
// has, commits what is settled, and leaves the group.
func (c *consumer) run(ctx context.Context) error {
	ctx, c.stop = context.WithCancel(ctx)
	defer c.stop()
	for ctx.Err() == nil {
		c.poll(ctx)
	}
	c.client.CloseAllowingRebalance() // calls revoked with all partitions
	err := c.pool.Close(context.WithoutCancel(ctx))
	c.producer.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(append(c.errs, err)...)
}

// poll reads a batch and submits it to the pool. It waits for free places before it reads, not in Submit:
// between a poll that returned records and AllowRebalance the whole group waits for this consumer.
func (c *consumer) poll(ctx context.Context) {
	if c.slots.Acquire(ctx, batch) != nil {
		return
	}
	fetches := c.client.PollRecords(ctx, batch)
	defer c.client.AllowRebalance()
	records := fetches.Records()
	c.slots.Release(int64(batch - len(records)))
	for _, f := range fetches.Errors() {
		// The client itself retries transient errors, and joins a group again that it has left.
		if again := (*kgo.ErrGroupSession)(nil); ctx.Err() == nil && !errors.As(f.Err, &again) {
			c.fail(fmt.Errorf("read %s: %w", f.Topic, f.Err))
		}
	}
	for _, r := range records {
		c.submit(r)
	}
}

// submit submits a record to the pool. The work on it ends with its partition, not with run's context.
func (c *consumer) submit(r *kgo.Record) {
	p := c.partitions[r.Partition]
	if p == nil {
		p = newPartition(context.Background(), func(last *kgo.Record) { c.client.MarkCommitRecords(last) })
		c.partitions[r.Partition] = p
	}
	p.add(r)
	j := newJob(r, p)
	if _, err := c.pool.Submit(p.ctx, j); err != nil { // only if the partition was canceled
		c.release(j)
	}
}

// send makes one attempt to write the invoice.
func (c *consumer) send(ctx context.Context, j *job) (struct{}, error) {
	out, err := j.out()
	if err != nil {
		return struct{}{}, err
	}
	return struct{}{}, c.producer.send(ctx, out)
}

// deadLetter writes a dead letter for an order that failed for good. A permanent error of the broker with
// another cause than the order is not a reason for a dead letter.
func (c *consumer) deadLetter(ctx context.Context, j *job, failure *retry.Error) error {
	if isPermanent(failure.Err) && !isBadRecord(failure.Err) {
		return errors.New("the order is not to blame")
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	letter := letterOf(j.in, failure)
	return letterPolicy.Do(ctx, func(ctx context.Context) error { return c.producer.send(ctx, letter) })
}

// done is called when an order was settled: it has an invoice or a dead letter.
func (c *consumer) done(e retrypool.Event[*job]) {
	e.Item.partition.settled(e.Item.in)
	c.release(e.Item)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled()
}

// failed is called for an order that could not be settled. No later offset of its partition may be
// committed, and the customer's next order must not overtake it. So this consumer drops the partition, and
// the next one begins with this order.
func (c *consumer) failed(e retrypool.Event[*job]) {
	c.fail(fmt.Errorf("%s: %w", origin(e.Item.in), e.Err))
	e.Item.partition.cancel()
	c.release(e.Item)
}

// canceled is called for an order whose partition was canceled.
func (c *consumer) canceled(e retrypool.Event[*job]) { c.release(e.Item) }

// release gives back the job's place in the pool.
func (c *consumer) release(j *job) {
	c.slots.Release(1)
	j.partition.work.Done()
}

// fail ends run with the error.
func (c *consumer) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errs = append(c.errs, err)
	c.stop()
}

// revoked is called when partitions go to another consumer, or when this one leaves. It waits up to grace
// for their orders and commits what is settled. The next consumer reads the rest again.
func (c *consumer) revoked(ctx context.Context, client *kgo.Client, partitions map[string][]int32) {
	gone := c.remove(partitions)
	for _, p := range gone {
		defer time.AfterFunc(grace, p.cancel).Stop()
	}
	for _, p := range gone {
		p.work.Wait()
		p.cancel()
	}
	if err := client.CommitMarkedOffsets(ctx); err != nil {
		c.fail(fmt.Errorf("commit: %w", err))
	}
}

// lost is called when partitions already belong to another consumer, so nothing can be committed. It waits
// for the records that the client still has: one of them might otherwise be written after the records
// that follow it. The wait ends with the attempt's timeout at the latest.
func (c *consumer) lost(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	for _, p := range c.remove(partitions) {
		p.cancel()
		p.work.Wait()
	}
}

// remove removes the partitions and returns those that the consumer had.
func (c *consumer) remove(partitions map[string][]int32) (gone []*partition) {
	for _, number := range partitions[orders] {
		if p := c.partitions[number]; p != nil {
			gone = append(gone, p)
			delete(c.partitions, number)
		}
	}
	return gone
}
