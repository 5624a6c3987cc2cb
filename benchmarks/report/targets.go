package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/seed-205ff063/retry/benchmarks"
)

// target is one promise about cost, and what was measured.
type target struct {
	promise  string
	measured string
	met      bool
	why      string // shown if the target is missed: by how much, and why
}

// targets compares the promises with the measurement.
func targets(m *measurement) []target {
	all := []target{
		firstTry(m),
		noAllocation(m),
		doValue(m),
		options(m),
		lists(m),
		counted("retries without waits, no history: no allocation", m.allocs("Call/two-zero/retry-no-history"), 0),
		counted("history: one allocation a failing call",
			m.allocs("Call/two-zero/retry")-m.allocs("Call/two-zero/retry-no-history"), 1),
		counted("giving up: the error and its history, two allocations", m.allocs("Call/five-zero/retry"), 2),
		givesUp(m),
	}
	return append(all, stack(m), cores(m))
}

func firstTry(m *measurement) target {
	const allowed = 15
	ours, bare, clock := m.ns("Call/first/retry"), m.ns("Call/first/bare"), m.ns("Clock/since")
	rest := ours - bare - clock
	return target{
		promise: fmt.Sprintf("first try succeeds, prebuilt policy: the bare call, one clock reading, and at most %d ns", allowed),
		measured: fmt.Sprintf("%s ns = %s bare + %s clock + %s", nanoseconds(ours), nanoseconds(bare),
			nanoseconds(clock), nanoseconds(rest)),
		met: rest <= allowed,
		why: fmt.Sprintf("by %s ns. Apart from reading the clock, a call only clears its state, checks the context and passes "+
			"through the functions between Do and the caller's function. So look at the ± of the three figures first.",
			nanoseconds(rest-allowed)),
	}
}

func noAllocation(m *measurement) target {
	most := 0.0
	for _, c := range benchmarks.Cases() {
		if strings.HasPrefix(c.ID, "first") {
			most = math.Max(most, m.allocs("Call/"+c.ID+"/retry"))
		}
	}
	return counted("first try succeeds, prebuilt policy, in every form: no allocation", most, 0)
}

func doValue(m *measurement) target {
	const allowed = 10
	plain := m.ns("Call/first/retry")
	more := math.Max(m.ns("Call/first-int/retry"), m.ns("Call/first-struct/retry")) - plain
	return target{
		promise:  fmt.Sprintf("DoValue takes at most %d ns more than Do", allowed),
		measured: fmt.Sprintf("%+.1f ns", more),
		met:      more <= allowed,
		why:      fmt.Sprintf("by %s ns. The value goes through one more closure.", nanoseconds(more-allowed)),
	}
}

func options(m *measurement) target {
	return counted("options given at the call, a strategy and numbers: at most one allocation, the strategy's",
		m.allocs("Call/options/retry"), 1)
}

func lists(m *measurement) target {
	none, one, two := m.allocs("Call/options/retry"), m.allocs("Call/options/retry-list"), m.allocs("Call/options/retry-lists")
	return target{
		promise:  "options that carry a list besides, such as WithRetryIf: no more for them",
		measured: fmt.Sprintf("%.0f, %.0f, %.0f with none, one, two", none, one, two),
		met:      one <= none && two <= none,
		why:      "The variadic arguments of such an option escape to the heap, and something else escapes with them.",
	}
}

// givesUp compares the time of giving up with that of the best peer.
func givesUp(m *measurement) target {
	const about = 0.6
	ours := m.ns("Call/five-zero/retry")
	best, name, clock := math.Inf(1), "", ""
	for _, l := range benchmarks.Peers() {
		if ns := m.ns("Call/five-zero/" + l.ID); ns < best {
			best, name, clock = ns, l.Name, l.Clock
		}
	}
	readings := 10*m.ns("Clock/since") + m.ns("Clock/now")
	why := fmt.Sprintf("by %s ns. Reading the clock takes %s ns of the call: twice for each attempt and once for the wall "+
		"clock, to record when each attempt started and how long it ran", nanoseconds(ours-about*best), nanoseconds(readings))
	if clock == "no" {
		why += "; " + name + " does not read the clock and records nothing"
	}
	why += "."
	ratio := ours / best
	return target{
		promise:  fmt.Sprintf("giving up after five attempts without waits: about %.1f of the best peer's time", about),
		measured: fmt.Sprintf("%.2f (%s ns, %s %s ns)", ratio, nanoseconds(ours), name, nanoseconds(best)),
		met:      ratio < about+0.05,
		why:      why,
	}
}

func stack(m *measurement) target {
	ours, bare := m.Background["retry"].Stack, m.Background["bare"].Stack
	return target{
		promise:  "a waiting call does not double its goroutine's stack",
		measured: fmt.Sprintf("%d bytes, a goroutine that only waits %d", ours, bare),
		met:      ours < bare*3/2,
		why: fmt.Sprintf("by %d bytes. A stack grows by doubling and does not shrink while the call waits, so the deepest call of "+
			"the attempt decides, not the wait. A function that does real work, such as a network call, grows the stack anyway.", ours-bare),
	}
}

func cores(m *measurement) target {
	const share = 0.75
	alone, all := m.ns("Call/first/retry"), m.ns("Call/all-first/retry")
	scale := alone / all
	return target{
		promise:  "a policy shared by all cores: no lock, no shared cache line written",
		measured: fmt.Sprintf("%.2f times the calls of one core on %d", scale, m.Cores),
		met:      scale >= share*float64(m.Cores),
		why: fmt.Sprintf("A call writes to nothing shared, so the aim was %.2f times (%.0f %% of the cores). "+
			"The bare call reached %.2f times here, which shows how free the other cores were.",
			share*float64(m.Cores), 100*share, m.ns("Call/first/bare")/m.ns("Call/all-first/bare")),
	}
}

// counted returns a target for a number of allocations.
func counted(promise string, got, most float64) target {
	return target{
		promise:  promise,
		measured: fmt.Sprintf("%.0f", got),
		met:      got <= most,
		why:      fmt.Sprintf("by %.0f: something escapes to the heap that did not before.", got-most),
	}
}
