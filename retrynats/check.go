package retrynats

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

// check returns everything that is wrong with the arguments of Consume. It also learns how the
// consumer and the bucket are set up.
func (c *consumption) check() error {
	errs := checkArguments(c.js, c.consumer, c.handler, &c.cfg)
	if c.js == nil || c.consumer == nil {
		return errors.Join(errs...)
	}
	known := c.consumer.CachedInfo()
	if known == nil {
		return errors.Join(append(errs, configError{"Consume", "an ordered Consumer acknowledges nothing; use a pull consumer"})...)
	}
	c.stream, c.name = known.Stream, known.Name
	request := func(fn func(ctx context.Context) error) error {
		if errs != nil { // report these even if the server is away
			ctx, cancel := context.WithTimeout(c.ctx, requestTime)
			defer cancel()
			return fn(ctx)
		}
		return c.request(c.ctx, c.policies.check, fn)
	}
	err := request(func(ctx context.Context) error {
		found, err := c.checkServer(ctx)
		if err == nil {
			errs = append(errs, found...)
		}
		return err
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("retrynats: the server cannot be asked about the consumer: %w", err))
	}
	return errors.Join(errs...)
}

// checkArguments returns the errors that can be found without the server.
func checkArguments(js jetstream.JetStream, consumer jetstream.Consumer, h Handler, cfg *Config) (errs []error) {
	reject := func(wrong bool, field, format string, args ...any) {
		if wrong {
			errs = append(errs, configError{field, fmt.Sprintf(format, args...)})
		}
	}
	reject(js == nil, "Consume", "nil JetStream; make one with jetstream.New")
	reject(consumer == nil, "Consume", "nil Consumer; make one with CreateOrUpdateConsumer")
	reject(h == nil, "Consume", "nil Handler")
	reject(cfg.Workers < 0, "Config.Workers", "%d is negative", cfg.Workers)
	reject(cfg.Grace < 0, "Config.Grace", "%v is negative", cfg.Grace)
	reject(cfg.Prefetch < 0, "Config.Prefetch", "%d is negative", cfg.Prefetch)
	reject(cfg.DeadLetter != "" && !isLiteral(cfg.DeadLetter), "Config.DeadLetter",
		"%q is not a subject without wildcards and blanks", cfg.DeadLetter)
	for _, err := range checkPolicy(cfg.Policy) {
		errs = append(errs, fmt.Errorf("retrynats: Config.Policy: %w", err))
	}
	return errs
}

// checkPolicy returns why the policy cannot run functions without a value.
func checkPolicy(p *retry.Policy) []error {
	// Try without a function runs nothing. It reports all errors, and the missing function last.
	run := p.Start(context.Background())
	run.Try(nil)
	var all interface{ Unwrap() []error }
	if !errors.As(run.Err(), &all) {
		return nil
	}
	errs := all.Unwrap()
	return errs[:len(errs)-1]
}

// isLiteral reports whether messages can be published to the subject.
func isLiteral(subject string) bool {
	for token := range strings.SplitSeq(subject, ".") {
		if token == "" || strings.ContainsAny(token, " \t\r\n*>") {
			return false
		}
	}
	return true
}

// checkServer returns the errors that the server knows of.
func (c *consumption) checkServer(ctx context.Context) (errs []error, err error) {
	info, err := c.info(ctx)
	if err != nil {
		return nil, err
	}
	c.applySettings(info)
	errs = checkConsumer(info, &c.cfg)
	if isLiteral(c.cfg.DeadLetter) {
		wrong, err := checkDeadLetter(ctx, c.js, c.cfg.DeadLetter, info.Stream)
		if err != nil {
			return nil, err
		}
		if wrong != nil {
			errs = append(errs, wrong)
		}
	}
	if c.cfg.State != nil {
		wrong, err := c.checkState(ctx)
		if err != nil {
			return nil, err
		}
		if wrong != nil {
			errs = append(errs, wrong)
		}
	}
	return errs, nil
}

// info asks the server how the consumer is set up. It does not use the caller's Consumer, because
// Info of that is not safe for concurrent use.
func (c *consumption) info(ctx context.Context) (*jetstream.ConsumerInfo, error) {
	consumer, err := c.js.Consumer(ctx, c.stream, c.name)
	if err != nil {
		return nil, err
	}
	return consumer.CachedInfo(), nil
}

// applySettings takes over the consumer's settings that Consume needs.
func (c *consumption) applySettings(info *jetstream.ConsumerInfo) {
	c.ackWait = info.Config.AckWait
	if limit := info.Config.MaxRequestExpires; limit > 0 {
		c.pullTime = min(c.pullTime, limit)
	}
	c.policies = newRequestPolicies(c.log, c.ackWait)
}

// checkConsumer returns the errors in the consumer's settings.
func checkConsumer(info *jetstream.ConsumerInfo, cfg *Config) (errs []error) {
	c := &info.Config
	reject := func(wrong bool, field, format string, args ...any) {
		if wrong {
			problem := c.Name + ": " + fmt.Sprintf(format, args...)
			errs = append(errs, configError{"ConsumerConfig." + field, problem})
		}
	}
	reject(c.AckPolicy != jetstream.AckExplicitPolicy, "AckPolicy",
		"%v loses messages whose process dies; set jetstream.AckExplicitPolicy", c.AckPolicy)
	reject(len(c.BackOff) > 0, "BackOff",
		"%v is added to the policy's waits; leave it empty", c.BackOff)
	reject(c.MaxDeliver > 0, "MaxDeliver",
		"%d ends messages without a dead letter; set -1 and retry.WithMaxAttempts", c.MaxDeliver)
	reject(c.PriorityPolicy != jetstream.PriorityPolicyNone, "PriorityPolicy",
		"priority groups are not supported")
	reject(c.MaxRequestBatch > 0 && cfg.Prefetch >= c.MaxRequestBatch, "MaxRequestBatch",
		"%d is below the %d of Config.Prefetch and one", c.MaxRequestBatch, cfg.Prefetch+1)
	return errs
}

// checkDeadLetter returns what is wrong with the subject of dead letters, or nil. err is the error of
// the request to the server.
func checkDeadLetter(ctx context.Context, js jetstream.JetStream, subject, source string) (wrong, err error) {
	stream, err := js.StreamNameBySubject(ctx, subject)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return configError{"Config.DeadLetter", fmt.Sprintf(
			"no stream takes the subject %q; create one", subject)}, nil
	case err != nil:
		return nil, err
	case stream == source:
		return configError{"Config.DeadLetter", fmt.Sprintf(
			"%q belongs to the stream %s that is consumed; dead letters need one of their own", subject, stream)}, nil
	}
	return nil, nil
}

// checkState returns what is wrong with the bucket, or nil. err is the error of the request to the
// server.
func (c *consumption) checkState(ctx context.Context) (wrong, err error) {
	bucket, err := c.cfg.State.Status(ctx)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, jetstream.ErrBucketNotFound):
		return configError{"Config.State", fmt.Sprintf("the bucket %s does not exist; create it", c.cfg.State.Bucket())}, nil
	case err != nil:
		return nil, err
	}
	c.markerTTL = bucket.LimitMarkerTTL()
	return nil, nil
}
