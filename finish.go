package retry

import (
	"context"

	"github.com/seed-205ff063/retry/internal/judging"
)

// finishOption is for package retrysql, which commits or rolls back only once the value of its
// function was validated: see package judging. Only Do and DoValue with options at the call obey
// it.
type finishOption struct {
	finish judging.Finish
	_      boxed
}

func init() { //nolint:gochecknoinits // package judging cannot import this one
	judging.NewOption = func(finish judging.Finish) any { return finishOption{finish: finish} }
}

func (o finishOption) apply(s *settings) { s.finish = o.finish }

// finishValue ends an attempt whose function returned v: its value is validated now and not
// after the attempt.
func finishValue[T any](ctx context.Context, s *settings, c *call, j *validation[T], v T) error {
	validated := false
	defer func() {
		if !validated { // a validator panicked
			_ = s.finish(ctx, errAbandoned)
		}
	}()
	verdict := j.before(s, v, c.running(s))
	validated = true
	err := s.finish(ctx, verdict)
	if err == verdict { // the very one: a rejected value is no error of the function
		return nil
	}
	return err
}
