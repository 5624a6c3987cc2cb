package main

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// partition is a partition that this consumer has. It holds the records that were read and may not be
// committed yet. Records are settled in any order, but a group commits one offset a partition, which covers
// all records before it. So records are ready to commit up to the oldest that is not settled.
type partition struct {
	ctx    context.Context // of the work on the records
	cancel context.CancelFunc
	work   sync.WaitGroup // one for each record in the pool

	mu    sync.Mutex
	read  []*kgo.Record // in order, from the oldest that is not settled
	done  map[int64]bool
	ready func(*kgo.Record) // called when all records up to this one are settled
}

func newPartition(ctx context.Context, ready func(*kgo.Record)) *partition {
	p := &partition{done: map[int64]bool{}, ready: ready}
	p.ctx, p.cancel = context.WithCancel(ctx)
	return p
}

// add adds a record that follows all others.
func (p *partition) add(r *kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read = append(p.read, r)
	p.work.Add(1)
}

// settled marks a record as settled. It goes by offset, and offsets may have gaps.
func (p *partition) settled(r *kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[r.Offset] = true
	var last *kgo.Record
	for len(p.read) > 0 && p.done[p.read[0].Offset] {
		last = p.read[0]
		delete(p.done, last.Offset)
		p.read[0] = nil
		p.read = p.read[1:]
	}
	if last != nil {
		p.ready(last) // under the lock, so that calls are in order
	}
}
