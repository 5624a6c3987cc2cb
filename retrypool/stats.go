package retrypool

// Stats are a pool's figures at one moment. In every snapshot
// Submitted = Succeeded + DeadLettered + Failed + Canceled + Queued + Running + Parked.
type Stats struct {
	// Submitted is how many items were taken in.
	Submitted int
	// Succeeded, DeadLettered, Failed and Canceled are how many ended so. Failed are those that
	// no DeadLetter took.
	Succeeded, DeadLettered, Failed, Canceled int
	// Queued is how many items wait for a worker: for their first attempt, or since the wait
	// for the next one is over; or for their key.
	Queued int
	// Running is how many items are worked on. That includes the DeadLetter, and the canceling.
	Running int
	// Parked is how many items wait between two attempts.
	Parked int
	// Retries is how many attempts began, as [Events].Started is told, that were not an item's
	// first.
	Retries int
}

// count counts an end.
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

// unsettled is how many items have not ended.
func (s *Stats) unsettled() int { return s.Queued + s.Running + s.Parked }

// Stats returns the figures of this moment.
func (p *Pool[In, Out]) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Retries = int(p.retryCount.Load())
	return s
}
