package sim

import (
	"errors"
	"time"
)

// The bounds of the fields of an Outage.
const (
	maxOutageRate     = 100_000
	maxOutageCapacity = 1_000_000
	maxOutageQueue    = 10_000_000
	maxOutageLayers   = 5
	maxOutageRatio    = 100
	maxOutageBurst    = 1_000_000_000
	minOutageLength   = time.Second
	maxOutageCalls    = 10_000_000
)

// validate returns an error for each field that is out of its bounds.
func (o Outage) validate() error {
	errs := []error{
		o.validateBudget(),
		fieldErrorIf(!(o.Rate > 0 && o.Rate <= maxOutageRate), "Rate", "%v is not above 0 and at most %d", o.Rate, maxOutageRate),
		fieldErrorIf(!(o.Capacity > 0 && o.Capacity <= maxOutageCapacity), "Capacity", "%v is not above 0 and at most %d", o.Capacity, maxOutageCapacity),
		fieldErrorIf(o.Queue < 1 || o.Queue > maxOutageQueue, "Queue", "%d is not from 1 to %d", o.Queue, maxOutageQueue),
		fieldErrorIf(o.Timeout <= 0, "Timeout", "%v is not above 0", o.Timeout),
		fieldErrorIf(o.Layers < 1 || o.Layers > maxOutageLayers, "Layers", "%d is not from 1 to %d", o.Layers, maxOutageLayers),
		validatePhase("Before", o.Before),
		validatePhase("Down", o.Down),
		validatePhase("After", o.After),
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	length := o.length()
	return errors.Join(
		fieldErrorIf(length < minOutageLength, "Down", "%v: the run lasts %v in all, which is below %v", o.Down, length, minOutageLength),
		fieldErrorIf(o.Rate*length.Seconds() > maxOutageCalls, "Rate", "%v calls a second for %v are more than %d; lower one of them", o.Rate, length, maxOutageCalls),
	)
}

func (o Outage) validateBudget() error {
	if o.Budget == nil {
		return nil
	}
	ratio, burst := o.Budget.Ratio, o.Budget.Burst
	return errors.Join(
		fieldErrorIf(!(ratio >= 0 && ratio <= maxOutageRatio), "Budget", "a ratio of %v is not from 0 to %d", ratio, maxOutageRatio),
		fieldErrorIf(burst < 0 || burst > maxOutageBurst, "Budget", "a burst of %d is not from 0 to %d", burst, maxOutageBurst),
	)
}

// validatePhase checks the length of a part of the run.
func validatePhase(field string, length time.Duration) error {
	return fieldErrorIf(length < 0 || length > time.Hour, field, "%v is not from 0s to 1h", length)
}
