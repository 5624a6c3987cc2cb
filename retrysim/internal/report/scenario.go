package report

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Scenario is everything about a simulation but the policies.
type Scenario struct {
	PlanRetries int
	Herd        sim.Herd
	OCC         sim.OCC
	Outage      sim.Outage
}

// Param is a number of a scenario that people can set.
type Param struct {
	Name    string // of the flag, and of the field in a link
	Default string
	Usage   string
	Switch  bool // takes no value
	set     func(s *Scenario, value string) error
}

// Command is one way to look at policies.
type Command struct {
	Name     string
	Usage    string // one line
	About    string // some lines
	Examples []string
	Params   []Param
	Run      func(ctx context.Context, s Scenario, policies []sim.Policy) (Report, error)
}

// Scenario reads the values that are given by name; the others have their defaults. An error
// names each value that makes no sense.
func (c Command) Scenario(given func(name string) (value string, ok bool)) (Scenario, error) {
	var s Scenario
	var faults []error
	for _, p := range c.Params {
		value, ok := given(p.Name)
		if !ok {
			value = p.Default
		}
		if err := p.set(&s, value); err != nil {
			faults = append(faults, fmt.Errorf("-%s: %w", p.Name, err))
		}
	}
	return s, errors.Join(faults...)
}

// flagOf names the flags that set the fields of the models.
var flagOf = map[string]string{"Rate": "rps"}

// Explain makes errors of models speak of flags.
func Explain(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the list itself
		var all []error
		for _, one := range several.Unwrap() {
			all = append(all, Explain(one))
		}
		return errors.Join(all...)
	}
	var field *sim.FieldError
	if !errors.As(err, &field) {
		return err
	}
	flag, ok := flagOf[field.Field]
	if !ok {
		flag = strings.ToLower(field.Field)
	}
	return fmt.Errorf("-%s: %s", flag, field.Problem)
}

func whole(set func(*Scenario, int)) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", value)
		}
		set(s, n)
		return nil
	}
}

// positive is whole without the 0 that means the default to the models.
func positive(set func(*Scenario, int)) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		if n, err := strconv.Atoi(value); err == nil && n < 1 {
			return fmt.Errorf("%d is below 1", n)
		}
		return whole(set)(s, value)
	}
}

func decimal(set func(*Scenario, float64)) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		x, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%q is not a number", value)
		}
		set(s, x)
		return nil
	}
}

func duration(set func(*Scenario, time.Duration)) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("%q is not a duration such as 30s", value)
		}
		set(s, d)
		return nil
	}
}

func setTimeout(s *Scenario, value string) error {
	if d, err := time.ParseDuration(value); err == nil && d <= 0 {
		return fmt.Errorf("%v is not above 0s", d)
	}
	return duration(func(s *Scenario, d time.Duration) { s.Outage.Timeout = d })(s, value)
}

func onOff(set func(*Scenario, bool)) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		on, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		set(s, on)
		return nil
	}
}

func setSeed(s *Scenario, value string) error {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a whole number of at least 0", value)
	}
	s.Herd.Seed, s.OCC.Seed, s.Outage.Seed = n, n, n
	return nil
}

func setOCCClients(s *Scenario, value string) error {
	s.OCC.Clients = nil
	for part := range strings.SplitSeq(value, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return fmt.Errorf("%q is not a list of whole numbers such as 10,20,50,100", value)
		}
		s.OCC.Clients = append(s.OCC.Clients, n)
	}
	return nil
}

func setBudget(s *Scenario, value string) error {
	s.Outage.Budget = nil
	if value == "" || value == "none" {
		return nil
	}
	ratio, burst, ok := strings.Cut(value, "/")
	r, err := strconv.ParseFloat(ratio, 64)
	n, err2 := strconv.Atoi(burst)
	if !ok || err != nil || err2 != nil {
		return fmt.Errorf("%q is not RATIO/BURST such as 0.1/100, nor none", value)
	}
	s.Outage.Budget = &sim.BudgetSize{Ratio: r, Burst: n}
	return nil
}

var seed = Param{Name: "seed", Default: "1", Usage: "selects the random numbers; the same seed gives the same output", set: setSeed}

// PlanCommand shows waits.
var PlanCommand = Command{
	Name:  "plan",
	Usage: "the wait before each retry: min, median, max, and all of them together",
	About: "Plan foresees the waits of a policy. Attempts take no time and the server gives no hints.",
	Examples: []string{
		"retrysim plan",
		"retrysim plan -o plan.svg 'name=quick max_attempts=4 backoff=constant(50ms)' 'name=patient backoff=exponential(1s,2)'",
	},
	Params: []Param{
		{Name: "retries", Default: "10", Usage: "show at most so many retries, 1 to 1000", set: whole(func(s *Scenario, n int) { s.PlanRetries = n })},
		seed,
	},
	Run: func(_ context.Context, s Scenario, policies []sim.Policy) (Report, error) {
		const most = 1000
		if s.PlanRetries < 1 || s.PlanRetries > most {
			return Report{}, &sim.FieldError{Field: "Retries", Problem: fmt.Sprintf("%d is not from 1 to %d", s.PlanRetries, most)}
		}
		return Plan(s.PlanRetries, policies), nil
	},
}

// HerdCommand runs sim.Herd.
var HerdCommand = Command{
	Name:  "herd",
	Usage: "many clients fail at the same moment: how far apart do their retries arrive?",
	About: "Every client fails at 0 and at every retry. Retries that arrive together are the next overload.",
	Examples: []string{
		"retrysim herd 'name=none max_attempts=6 backoff=exponential(1s,2) jitter=none' 'name=full max_attempts=6 backoff=exponential(1s,2)'",
		"retrysim herd -clients 1000000 -o herd.html 'max_attempts=6 backoff=decorrelated(1s,3)'",
	},
	Params: []Param{
		{Name: colClients, Default: "60000", Usage: "number of clients, 1 to 10000000", set: whole(func(s *Scenario, n int) { s.Herd.Clients = n })},
		{Name: "retries", Default: "100", Usage: "leave a client after so many retries, 1 to 10000", set: positive(func(s *Scenario, n int) { s.Herd.Retries = n })},
		seed,
	},
	Run: func(ctx context.Context, s Scenario, policies []sim.Policy) (Report, error) {
		return Herd(ctx, s.Herd, policies)
	},
}

// OCCCommand runs sim.OCC.
var OCCCommand = Command{
	Name:  "occ",
	Usage: "clients compete for one row (optimistic concurrency): how many writes, how long?",
	About: "Each client reads the row, then writes it if nobody else did meanwhile, else it backs off. A message\n" +
		"takes |N(10,2)| ms. Clients go on until they succeed, unless the policy itself sets max_attempts.",
	Examples: []string{
		"retrysim occ 'name=none backoff=exponential(10ms,2) max_delay=2s jitter=none' 'name=full backoff=exponential(10ms,2) max_delay=2s'",
		"retrysim occ -clients 100 -format csv 'backoff=decorrelated(5ms,3) max_delay=2s'",
	},
	Params: []Param{
		{Name: colClients, Default: "10,20,50,100", Usage: "numbers of clients, each 1 to 1000", set: setOCCClients},
		{Name: "trials", Default: "100", Usage: "simulations behind each mean, 1 to 10000", set: positive(func(s *Scenario, n int) { s.OCC.Trials = n })},
		seed,
	},
	Run: func(ctx context.Context, s Scenario, policies []sim.Policy) (Report, error) {
		return OCC(ctx, s.OCC, policies)
	},
}

// OutageCommand runs sim.Outage.
var OutageCommand = Command{
	Name:  "outage",
	Usage: "a server goes down and comes back: load, goodput, and does it recover?",
	About: "The server has finite capacity and a queue. Clients time out and retry; the server does not notice and\n" +
		"works for those who have left. So retries can keep it down after the cause is gone.",
	Examples: []string{
		"retrysim outage 'name=default'",
		`retrysim outage -budget 0.1/100 'name="with a budget" max_attempts=4'`,
		"retrysim outage -rps 20 -down 10m -refuse -layers 3 -no-nesting 'max_attempts=4'",
	},
	Params: []Param{
		{Name: "rps", Default: "1000", Usage: "calls that begin in a second (Poisson), above 0 to 100000", set: decimal(func(s *Scenario, x float64) { s.Outage.Rate = x })},
		{Name: "down", Default: "30s", Usage: "how long the server is down, 0s to 1h", set: duration(func(s *Scenario, d time.Duration) { s.Outage.Down = d })},
		{Name: "capacity", Default: "1200", Usage: "requests that the server answers in a second, above 0 to 1000000", set: decimal(func(s *Scenario, x float64) { s.Outage.Capacity = x })},
		{Name: colLayers, Default: "1", Usage: "layers of clients that each retry, 1 to 5", set: positive(func(s *Scenario, n int) { s.Outage.Layers = n })},
		{Name: "budget", Default: "none", Usage: "RATIO/BURST of a budget that each layer's calls share, or none", set: setBudget},
		{Name: "no-nesting", Default: "false", Switch: true, Usage: "stop at errors that an inner layer retried: WithStopIf(AlreadyRetried)", set: onOff(func(s *Scenario, on bool) { s.Outage.NoNesting = on })},
		{Name: "refuse", Default: "false", Switch: true, Usage: "the server refuses requests while it is down, in place of hanging", set: onOff(func(s *Scenario, on bool) { s.Outage.Refuse = on })},
		{Name: "timeout", Default: "1s", Usage: "how long a client waits for an answer", set: setTimeout},
		{Name: "queue", Default: "0", Usage: "requests that the server holds; 0: what it answers in twice the time-out", set: whole(func(s *Scenario, n int) { s.Outage.Queue = n })},
		{Name: "before", Default: "10s", Usage: "length of the run before the outage, 0s to 1h", set: duration(func(s *Scenario, d time.Duration) { s.Outage.Before = d })},
		{Name: "after", Default: "60s", Usage: "length of the run after the outage, 0s to 1h", set: duration(func(s *Scenario, d time.Duration) { s.Outage.After = d })},
		seed,
	},
	Run: func(ctx context.Context, s Scenario, policies []sim.Policy) (Report, error) {
		return Outage(ctx, s.Outage, policies)
	},
}

// Commands are all of them.
var Commands = []Command{PlanCommand, HerdCommand, OCCCommand, OutageCommand}

// Find returns the command of that name.
func Find(name string) (Command, bool) {
	i := slices.IndexFunc(Commands, func(c Command) bool { return c.Name == name })
	if i < 0 {
		return Command{}, false
	}
	return Commands[i], true
}

// Watch makes the models report their progress.
func (s *Scenario) Watch(progress func(done, total int)) {
	s.Herd.Progress, s.OCC.Progress, s.Outage.Progress = progress, progress, progress
}
