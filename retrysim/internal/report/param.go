package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Param is a setting of a scenario: a flag of the command, and a field of the page.
type Param struct {
	Name    string
	Default string
	Usage   string
	Switch  bool // takes no value
	set     func(s *Scenario, value string) error
}

var seedParam = Param{Name: "seed", Default: "1", Usage: "selects the random numbers; the same seed gives the same output", set: setSeed}

func intParam(set func(*Scenario, int)) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", value)
		}
		set(s, n)
		return nil
	}
}

// positiveParam is an intParam that rejects 0, which selects the default of a model's field.
func positiveParam(set func(*Scenario, int)) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		if n, err := strconv.Atoi(value); err == nil && n < 1 {
			return fmt.Errorf("%d is below 1", n)
		}
		return intParam(set)(s, value)
	}
}

func floatParam(set func(*Scenario, float64)) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		x, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%q is not a number", value)
		}
		set(s, x)
		return nil
	}
}

func durationParam(set func(*Scenario, time.Duration)) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("%q is not a duration such as 30s", value)
		}
		set(s, d)
		return nil
	}
}

func boolParam(set func(*Scenario, bool)) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		on, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		set(s, on)
		return nil
	}
}

// setTimeout rejects 0, which selects the model's default.
func setTimeout(s *Scenario, value string) error {
	if d, err := time.ParseDuration(value); err == nil && d <= 0 {
		return fmt.Errorf("%v is not above 0s", d)
	}
	return durationParam(func(s *Scenario, d time.Duration) { s.Outage.Timeout = d })(s, value)
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
	r, ratioErr := strconv.ParseFloat(ratio, 64)
	n, burstErr := strconv.Atoi(burst)
	if !ok || ratioErr != nil || burstErr != nil {
		return fmt.Errorf("%q is neither RATIO/BURST, such as 0.1/100, nor none", value)
	}
	s.Outage.Budget = &sim.BudgetSize{Ratio: r, Burst: n}
	return nil
}
