package retryhttp

import (
	"container/list"
	"net/http"
	"strings"
	"sync"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/text"
)

// maxHosts is how many hosts HostBudgets keeps budgets for.
const maxHosts = 1024

// HostBudgets returns a function for [Transport.HostBudget] that gives each host its own
// budget. Ratio and burst are those of retry.NewBudget.
//
// All spellings of a host share its budget: upper and lower case, with and without a final dot,
// and with port 80, port 443 or no port.
//
// The function keeps the budgets of the 1024 hosts that it was called for last, so memory is
// bounded. A host that comes back later starts with a new budget. The function is safe for
// concurrent use.
func HostBudgets(ratio float64, burst int) func(host string) *retry.Budget {
	b := &hostBudgets{ratio: ratio, burst: burst, hosts: map[string]*list.Element{}}
	return b.budget
}

// hostBudgets keeps the budgets of hosts in order of their last use.
type hostBudgets struct {
	ratio float64
	burst int

	mu     sync.Mutex
	hosts  map[string]*list.Element // elements of recent
	recent list.List                // of hostBudget, last used first
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
	host = strings.Clone(host) // it may be part of a long address
	h := hostBudget{host, retry.NewBudget(b.ratio, b.burst)}
	b.hosts[host] = b.recent.PushFront(h)
	return h.budget
}

// hostKey returns the common spelling of a host and port: in lower case, without a final dot
// and without a default port. It is cut to the length of the longest valid name.
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

// splitPort splits ":port" off host. The port is "" if there is none.
func splitPort(host string) (name, port string) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || i < strings.LastIndexByte(host, ']') || strings.Count(host, ":") > 1 && host[0] != '[' {
		return host, ""
	}
	return host[:i], host[i:]
}

// hostBudgetOf returns HostBudget's budget for req, or nil if there is none.
func (t *Transport) hostBudgetOf(req *http.Request) *retry.Budget {
	if t.HostBudget == nil || req.URL == nil {
		return nil
	}
	return t.HostBudget(hostKey(req.URL.Host))
}
