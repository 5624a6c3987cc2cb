package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// summary is the result of a run.
type summary struct {
	callers []*caller
	audit   balances
}

func (s *summary) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nwriter\ttransfers\tattempts\tmost for one\tfailed attempts\tCOMMITs without reply")
	transfers := 0
	for _, c := range s.callers {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\n", c.name, c.transfers, c.attempts, c.most, formatCounts(c.failed), formatCounts(c.settled))
		transfers += c.transfers
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(t, "\naccount\tbefore\tafter")
	for _, id := range slices.Sorted(maps.Keys(s.audit)) {
		fmt.Fprintf(t, "%d\t%d\t%d\n", id, openingBalance, s.audit[id])
	}
	fmt.Fprintf(t, "sum\t%d\t%d\n", openingBalance*len(s.audit), s.audit.sum())
	fmt.Fprintf(t, "\n%d transfers on record, each once, and the balances agree with them\n", transfers)
	return t.Flush()
}

// formatCounts returns the counts as one line, sorted by name.
func formatCounts(counts map[string]int) string {
	var list []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprintf("%d × %s", counts[what], what))
	}
	if list == nil {
		return "none"
	}
	return strings.Join(list, ", ")
}
