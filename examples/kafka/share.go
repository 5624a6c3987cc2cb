package main

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// share is a partition that this consumer has, for as long as it has it: the records that were read
// and not yet committed. A group commits one offset a partition, which stands for all before it, but
// records are settled in any order. So it is only up to the oldest that is not settled.
type share struct {
	ctx    context.Context // of the work on the records
	cancel context.CancelFunc
	work   sync.WaitGroup // records that are worked on

	mu    sync.Mutex
	read  []*kgo.Record // from the oldest that is not settled on, in order
	done  map[int64]bool
	ready func(*kgo.Record) // all up to this one are settled
}

func newShare(ctx context.Context, ready func(*kgo.Record)) *share {
	s := &share{done: map[int64]bool{}, ready: ready}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s
}

// add takes a record in that comes after all others.
func (s *share) add(r *kgo.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = append(s.read, r)
	s.work.Add(1)
}

// settled says that a record is settled: by offset, for a partition's offsets may have gaps.
func (s *share) settled(r *kgo.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done[r.Offset] = true
	var last *kgo.Record
	for len(s.read) > 0 && s.done[s.read[0].Offset] {
		last = s.read[0]
		delete(s.done, last.Offset)
		s.read[0] = nil
		s.read = s.read[1:]
	}
	if last != nil {
		s.ready(last) // under the lock, so that they come in order
	}
}
