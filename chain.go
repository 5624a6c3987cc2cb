package retry

import (
	"fmt"
	"time"
)

// Chain waits n times as first says, and then as the other strategy says, from its start.
// Chain(3, Constant(50*time.Millisecond), Exponential(time.Second, 2)) makes three quick retries
// before it backs off. Each member keeps its own default jitter and cap. The call reports a
// negative n and bad members.
func Chain(n int, first, then Backoff) Backoff { return &chain{n, resolve(first), resolve(then)} }

type chain struct {
	n              int
	initial, final resolvedBackoff
}

func (c *chain) Delay(a Attempt) time.Duration {
	member, number, waited := c.member(a.Number, a.Waited)
	return member.after(&a, number, waited)
}

func (c *chain) after(number int, waited time.Duration) time.Duration {
	return c.Delay(Attempt{Number: number, Waited: waited})
}

func (c *chain) first() (time.Duration, bool) { return 0, false }

// member returns the backoff that decides after the attempt of that number, and the number and
// the wait before the attempt as that member counts them.
func (c *chain) member(number int, waited time.Duration) (*resolvedBackoff, int, time.Duration) {
	if number <= c.n {
		return &c.initial, number, waited
	}
	number -= max(c.n, 0)
	if number <= 1 {
		waited = 0 // the wait of another strategy
	}
	return &c.final, number, waited
}

func (c *chain) String() string { return callText("chain", c.n, &c.initial, &c.final) }

func (c *chain) fault() string {
	if c.n < 0 {
		return fmt.Sprintf("chain length %d is negative", c.n)
	}
	return either(c.initial.fault(), c.final.fault())
}

// active follows chains down to the member that decides, see chain.member.
func active(b *resolvedBackoff, number int, waited time.Duration) (*resolvedBackoff, int, time.Duration) {
	for {
		c, ok := b.Backoff.(*chain)
		if !ok {
			return b, number, waited
		}
		b, number, waited = c.member(number, waited)
	}
}
