package retryhttp

import (
	"sync"

	"github.com/seed-205ff063/retry"
)

// maxHosts is how many hosts HostBudgets keeps apart.
const maxHosts = 1024

// HostBudgets returns a Transport.HostBudget that gives each host a budget of its own, see
// retry.NewBudget. It keeps 1024 hosts apart; all further ones share one budget, so that
// memory is bounded whatever hosts are asked for.
func HostBudgets(ratio float64, burst int) func(host string) *retry.Budget {
	var mu sync.Mutex
	budgets := map[string]*retry.Budget{}
	others := retry.NewBudget(ratio, burst)
	return func(host string) *retry.Budget {
		mu.Lock()
		defer mu.Unlock()
		b, ok := budgets[host]
		switch {
		case ok:
			return b
		case len(budgets) >= maxHosts:
			return others
		}
		b = retry.NewBudget(ratio, burst)
		budgets[host] = b
		return b
	}
}
