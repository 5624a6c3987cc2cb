package retryhttp

import (
	"container/list"
	"net/http"
	"strings"
	"sync"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/text"
)

// maxHosts is how many hosts HostBudgets keeps apart.
const maxHosts = 1024

// HostBudgets returns a [Transport.HostBudget] that gives each host a budget of its own, see
// retry.NewBudget. Spellings of a host share its budget: upper and lower case, a final dot, the
// ports 80 and 443 and none.
//
// It keeps the budgets of the 1024 hosts that were asked for last, so that memory is bounded. A
// host that comes back later begins with a new budget. The function is safe for concurrent use.
func HostBudgets(ratio float64, burst int) func(host string) *retry.Budget {
	b := &hostBudgets{ratio: ratio, burst: burst, hosts: map[string]*list.Element{}}
	return b.budget
}

// hostBudgets are the budgets of hosts, the one that was asked for last in front.
type hostBudgets struct {
	ratio float64
	burst int

	mu     sync.Mutex
	hosts  map[string]*list.Element // of a hostBudget in recent
	recent list.List
}

type hostBudget struct {
	host   string
	budget *retry.Budget
}

func (b *hostBudgets) budget(host string) *retry.Budget {
	host = hostKey(host)
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, ok := b.hosts[host]; ok {
		b.recent.MoveToFront(e)
		known, _ := e.Value.(hostBudget)
		return known.budget
	}
	if b.recent.Len() >= maxHosts {
		oldest, _ := b.recent.Remove(b.recent.Back()).(hostBudget)
		delete(b.hosts, oldest.host)
	}
	host = strings.Clone(host) // perhaps a piece of a long address
	h := hostBudget{host, retry.NewBudget(b.ratio, b.burst)}
	b.hosts[host] = b.recent.PushFront(h)
	return h.budget
}

// hostKey is the one spelling of a host and port: in lower case, without a final dot and
// without a default port. It is bounded, as no name is longer.
func hostKey(host string) string {
	for _, port := range []string{":80", ":443", ":"} {
		if rest, ok := strings.CutSuffix(host, port); ok && !strings.HasSuffix(rest, ":") {
			host = rest
			break
		}
	}
	name, port := splitPort(host)
	return text.Cut(strings.ToLower(strings.TrimSuffix(name, ".")+port), maxHost)
}

// splitPort splits off ":port", if there is one.
func splitPort(host string) (name, port string) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || i < strings.LastIndexByte(host, ']') || strings.Count(host, ":") > 1 && host[0] != '[' {
		return host, ""
	}
	return host[:i], host[i:]
}

// hostBudgetOf is what HostBudget says for req, nil if there is none.
func (t *Transport) hostBudgetOf(req *http.Request) *retry.Budget {
	if t.HostBudget == nil || req.URL == nil {
		return nil
	}
	return t.HostBudget(hostKey(req.URL.Host))
}
