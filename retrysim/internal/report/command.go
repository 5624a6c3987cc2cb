package report

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Command is a command that runs a model.
type Command struct {
	Name     string
	Usage    string // one line
	About    string // a few lines
	Examples []string
	Params   []Param
	Run      func(ctx context.Context, s Scenario, policies []sim.Policy) (Report, error)
}

// Commands lists the commands that run a model.
var Commands = []Command{PlanCommand, HerdCommand, OCCCommand, OutageCommand}

// Find returns the command with the given name.
func Find(name string) (Command, bool) {
	i := slices.IndexFunc(Commands, func(c Command) bool { return c.Name == name })
	if i < 0 {
		return Command{}, false
	}
	return Commands[i], true
}

// PlanCommand shows the waits of policies.
var PlanCommand = Command{
	Name:  "plan",
	Usage: "the wait before each retry: shortest, median and longest, and the longest total",
	About: "The waits are computed; nothing is called. Attempts take no time and the server gives no hints.",
	Examples: []string{
		"retrysim plan",
		"retrysim plan -o plan.svg 'name=quick max_attempts=4 backoff=constant(50ms)' 'name=patient backoff=exponential(1s,2)'",
	},
	Params: []Param{
		{Name: "retries", Default: "10", Usage: "show at most this many retries, 1 to 1000", set: intParam(func(s *Scenario, n int) { s.PlanRetries = n })},
		seedParam,
	},
	Run: func(_ context.Context, s Scenario, policies []sim.Policy) (Report, error) {
		const maxRetries = 1000
		if s.PlanRetries < 1 || s.PlanRetries > maxRetries {
			return Report{}, &sim.FieldError{Field: "Retries", Problem: fmt.Sprintf("%d is not from 1 to %d", s.PlanRetries, maxRetries)}
		}
		return Plan(s.PlanRetries, policies), nil
	},
}

// HerdCommand runs [sim.Herd].
var HerdCommand = Command{
	Name:  "herd",
	Usage: "many clients fail at the same moment: how far apart do their retries arrive?",
	About: "The first attempt of every client fails at time 0, and so does every retry. Retries that arrive\n" +
		"together are the next overload.",
	Examples: []string{
		"retrysim herd 'name=none max_attempts=6 backoff=exponential(1s,2) jitter=none' 'name=full max_attempts=6 backoff=exponential(1s,2)'",
		"retrysim herd -clients 1000000 -o herd.html 'max_attempts=6 backoff=decorrelated(1s,3)'",
	},
	Params: []Param{
		{Name: colClients, Default: "60000", Usage: "number of clients, 1 to 10000000", set: intParam(func(s *Scenario, n int) { s.Herd.Clients = n })},
		{Name: "retries", Default: "100", Usage: "follow a client for at most this many retries, 1 to 10000", set: positiveParam(func(s *Scenario, n int) { s.Herd.Retries = n })},
		seedParam,
	},
	Run: func(ctx context.Context, s Scenario, policies []sim.Policy) (Report, error) {
		return Herd(ctx, s.Herd, policies)
	},
}

// OCCCommand runs [sim.OCC].
var OCCCommand = Command{
	Name:  "occ",
	Usage: "clients compete for one row (optimistic concurrency): how many writes, how long?",
	About: "Each client reads the row, then writes it. If another client wrote it in between, the write fails\n" +
		"and the client backs off. A message takes |N(10,2)| ms. Clients try until they succeed, unless the\n" +
		"policy itself sets max_attempts.",
	Examples: []string{
		"retrysim occ 'name=none backoff=exponential(10ms,2) max_delay=2s jitter=none' 'name=full backoff=exponential(10ms,2) max_delay=2s'",
		"retrysim occ -clients 100 -format csv 'backoff=decorrelated(5ms,3) max_delay=2s'",
	},
	Params: []Param{
		{Name: colClients, Default: "10,20,50,100", Usage: "numbers of clients, each 1 to 1000", set: setOCCClients},
		{Name: "trials", Default: "100", Usage: "show the means of this many simulations, 1 to 10000", set: positiveParam(func(s *Scenario, n int) { s.OCC.Trials = n })},
		seedParam,
	},
	Run: func(ctx context.Context, s Scenario, policies []sim.Policy) (Report, error) {
		return OCC(ctx, s.OCC, policies)
	},
}

// OutageCommand runs [sim.Outage].
var OutageCommand = Command{
	Name:  "outage",
	Usage: "a server goes down and comes back: load, goodput, and does it recover?",
	About: "The server has a limited capacity and a queue. Clients time out, leave and retry. The server does not\n" +
		"notice and works for clients that have left. Retries can therefore keep it down after the outage.",
	Examples: []string{
		"retrysim outage 'name=default'",
		`retrysim outage -budget 0.1/100 'name="with a budget" max_attempts=4'`,
		"retrysim outage -rps 20 -down 10m -refuse -layers 3 -no-nesting 'max_attempts=4'",
	},
	Params: []Param{
		{Name: "rps", Default: "1000", Usage: "calls that begin in a second, at random moments; above 0, at most 100000", set: floatParam(func(s *Scenario, x float64) { s.Outage.Rate = x })},
		{Name: "down", Default: "30s", Usage: "how long the server is down, 0s to 1h", set: durationParam(func(s *Scenario, d time.Duration) { s.Outage.Down = d })},
		{Name: "capacity", Default: "1200", Usage: "requests that the server can answer in a second; above 0, at most 1000000", set: floatParam(func(s *Scenario, x float64) { s.Outage.Capacity = x })},
		{Name: colLayers, Default: "1", Usage: "number of layers that retry, 1 to 5", set: positiveParam(func(s *Scenario, n int) { s.Outage.Layers = n })},
		{Name: "budget", Default: "none", Usage: "RATIO/BURST of the budget that all calls of a layer share, or none", set: setBudget},
		{Name: "no-nesting", Default: "false", Switch: true, Usage: "stop at errors that an inner layer has retried: WithStopIf(AlreadyRetried)", set: boolParam(func(s *Scenario, on bool) { s.Outage.NoNesting = on })},
		{Name: "refuse", Default: "false", Switch: true, Usage: "refuse requests while down; without this flag the server hangs", set: boolParam(func(s *Scenario, on bool) { s.Outage.Refuse = on })},
		{Name: "timeout", Default: "1s", Usage: "how long a client waits for an answer", set: setTimeout},
		{Name: "queue", Default: "0", Usage: "requests that the server holds; 0 is what it answers in twice the timeout", set: intParam(func(s *Scenario, n int) { s.Outage.Queue = n })},
		{Name: "before", Default: "10s", Usage: "length of the run before the outage, 0s to 1h", set: durationParam(func(s *Scenario, d time.Duration) { s.Outage.Before = d })},
		{Name: "after", Default: "60s", Usage: "length of the run after the outage, 0s to 1h", set: durationParam(func(s *Scenario, d time.Duration) { s.Outage.After = d })},
		seedParam,
	},
	Run: func(ctx context.Context, s Scenario, policies []sim.Policy) (Report, error) {
		return Outage(ctx, s.Outage, policies)
	},
}
