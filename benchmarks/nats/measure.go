package main

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// table holds the costs of one load.
type table struct {
	title string
	cost  []cost // in the order of the contenders
}

// cost is the cost of a message: medians over the rounds.
type cost struct{ wall, processor time.Duration }

var errFailed = errors.New("failed")

// load is what a handler does.
type load struct {
	title   string
	work    time.Duration
	failing int // one in this many attempts fails; none if it is 0
}

func measure(b *broker, s settings) (tables []table, err error) {
	for _, l := range []load{
		{title: "nothing fails, no work"},
		{title: "nothing fails, " + s.work.String() + " of work", work: s.work},
		{title: "a tenth of the attempts fails, no work", failing: s.failing},
	} {
		t := table{title: l.title}
		rounds := make([][]cost, len(contenders()))
		for range s.rounds {
			for i, c := range contenders() {
				one, err := measureOne(b, s, l, c)
				if err != nil {
					return nil, err
				}
				rounds[i] = append(rounds[i], one)
			}
		}
		for _, costs := range rounds {
			t.cost = append(t.cost, median(costs))
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// measureOne fills the stream and measures how the contender empties it.
func measureOne(b *broker, s settings, l load, c contender) (cost, error) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	if err := b.fill(ctx, s.messages); err != nil {
		return cost{}, err
	}
	consumer, err := b.consumer(ctx, c.backOff)
	if err != nil {
		return cost{}, err
	}
	var attempts, done atomic.Int64
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	handler := func(context.Context, jetstream.Msg) error {
		if l.work > 0 {
			time.Sleep(l.work)
		}
		if l.failing > 0 && attempts.Add(1)%int64(l.failing) == 0 {
			return errFailed
		}
		if done.Add(1) == int64(s.messages) {
			cancel()
		}
		return nil
	}
	start, used := time.Now(), processorTime()
	if err := c.consume(work, b, consumer, s.workers, handler); err != nil {
		return cost{}, err
	}
	n := time.Duration(s.messages)
	spent := cost{time.Since(start) / n, (processorTime() - used) / n}
	if ctx.Err() != nil {
		return cost{}, errors.New(c.name + " did not end")
	}
	return spent, b.stream.DeleteConsumer(context.WithoutCancel(ctx), "bench")
}

// processorTime returns the time that this process has used, including the server's.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(costs []cost) cost {
	by := func(of func(cost) time.Duration) time.Duration {
		all := make([]time.Duration, 0, len(costs))
		for _, c := range costs {
			all = append(all, of(c))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return cost{
		by(func(c cost) time.Duration { return c.wall }),
		by(func(c cost) time.Duration { return c.processor }),
	}
}
