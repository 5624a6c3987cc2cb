package sim

import (
	"errors"
	"time"
)

const (
	maxOutageRate     = 100_000
	maxOutageCapacity = 1_000_000
	maxOutageQueue    = 10_000_000
	maxOutageLayers   = 5
	maxOutageRatio    = 100
	maxOutageBurst    = 1_000_000_000
	minOutage         = time.Second
	maxOutageCalls    = 10_000_000
)

func (o Outage) fault() error {
	budget := BudgetSize{}
	if o.Budget != nil {
		budget = *o.Budget
	}
	faults := []error{
		faultIf(!(budget.Ratio >= 0 && budget.Ratio <= maxOutageRatio), "Budget", "a ratio of %v is not from 0 to %d", budget.Ratio, maxOutageRatio),
		faultIf(budget.Burst < 0 || budget.Burst > maxOutageBurst, "Budget", "a burst of %d is not from 0 to %d", budget.Burst, maxOutageBurst),
		faultIf(!(o.Rate > 0 && o.Rate <= maxOutageRate), "Rate", "%v is not above 0 and at most %d", o.Rate, maxOutageRate),
		faultIf(!(o.Capacity > 0 && o.Capacity <= maxOutageCapacity), "Capacity", "%v is not above 0 and at most %d", o.Capacity, maxOutageCapacity),
		faultIf(o.Queue < 1 || o.Queue > maxOutageQueue, "Queue", "%d is not from 1 to %d", o.Queue, maxOutageQueue),
		faultIf(o.Timeout <= 0, "Timeout", "%v is not above 0", o.Timeout),
		faultIf(o.Layers < 1 || o.Layers > maxOutageLayers, "Layers", "%d is not from 1 to %d", o.Layers, maxOutageLayers),
	}
	for _, part := range []struct {
		name string
		d    time.Duration
	}{{"Before", o.Before}, {"Down", o.Down}, {"After", o.After}} {
		faults = append(faults, faultIf(part.d < 0 || part.d > time.Hour, part.name, "%v is not from 0s to 1h", part.d))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	length := o.length()
	return errors.Join(
		faultIf(length < minOutage, "Down", "%v: the run lasts %v in all, which is below %v", o.Down, length, minOutage),
		faultIf(o.Rate*length.Seconds() > maxOutageCalls, "Rate", "%v calls a second for %v are more than %d; lower one of them", o.Rate, length, maxOutageCalls),
	)
}
