package retrypool

// Stats are a pool's figures at one moment. In every snapshot
// Submitted = Succeeded + DeadLettered + Failed + Canceled + Queued + Running + Parked.
type Stats struct {
	// Submitted is how many items the pool has taken in.
	Submitted int
	// Succeeded, DeadLettered, Failed and Canceled are how many items ended in each way. The
	// package comment defines the four.
	Succeeded, DeadLettered, Failed, Canceled int
	// Queued is how many items wait for a worker: for the first attempt, for a retry whose
	// wait is over, or for their key.
	Queued int
	// Running is how many items are being worked on. This includes DeadLetter and cancellation.
	Running int
	// Parked is how many items wait between two attempts.
	Parked int
	// Retries is how many attempts began that were not an item's first. Like [Events].Started,
	// it does not count attempts that a gate rejected.
	Retries int
}

// count counts an item that ended.
func (s *Stats) count(end outcome) {
	switch end {
	case succeeded:
		s.Succeeded++
	case deadLettered:
		s.DeadLettered++
	case failed:
		s.Failed++
	case canceled:
		s.Canceled++
	}
}

// unsettled returns how many items have not ended.
func (s *Stats) unsettled() int { return s.Queued + s.Running + s.Parked }

// Stats returns the pool's figures at this moment.
func (p *Pool[In, Out]) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Retries = int(p.retryCount.Load())
	return s
}
