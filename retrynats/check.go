package retrynats

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

// checkLocal returns what is wrong and can be seen without the server.
func checkLocal(js jetstream.JetStream, consumer jetstream.Consumer, h Handler, cfg *Config) (faults []error) {
	blame := func(wrong bool, field, format string, args ...any) {
		if wrong {
			faults = append(faults, fault{field, fmt.Sprintf(format, args...)})
		}
	}
	blame(js == nil, "Consume", "nil JetStream; make one with jetstream.New")
	blame(consumer == nil, "Consume", "nil Consumer; make one with CreateOrUpdateConsumer")
	blame(h == nil, "Consume", "nil Handler")
	blame(cfg.Workers < 0, "Config.Workers", "%d is negative", cfg.Workers)
	blame(cfg.Grace < 0, "Config.Grace", "%v is negative", cfg.Grace)
	blame(cfg.Prefetch < 0, "Config.Prefetch", "%d is negative", cfg.Prefetch)
	blame(cfg.DeadLetter != "" && !literal(cfg.DeadLetter), "Config.DeadLetter",
		"%q is not a subject without wildcards and blanks", cfg.DeadLetter)
	for _, err := range checkPolicy(cfg.Policy) {
		faults = append(faults, fmt.Errorf("retrynats: Config.Policy: %w", err))
	}
	return faults
}

// checkPolicy returns what keeps the policy from being used for functions without a value.
func checkPolicy(p *retry.Policy) []error {
	// A step without a function runs nothing and says everything that is wrong with it, the
	// missing function last.
	run := p.Start(context.Background())
	run.Try(nil)
	var all interface{ Unwrap() []error }
	if !errors.As(run.Err(), &all) {
		return nil
	}
	faults := all.Unwrap()
	return faults[:len(faults)-1]
}

// literal reports whether messages can be published to the subject.
func literal(subject string) bool {
	for token := range strings.SplitSeq(subject, ".") {
		if token == "" || strings.ContainsAny(token, " \t\r\n*>") {
			return false
		}
	}
	return true
}

// checkConsumer returns what is wrong with how the consumer is set up on the server.
func checkConsumer(info *jetstream.ConsumerInfo, cfg *Config) (faults []error) {
	c := &info.Config
	blame := func(wrong bool, field, format string, args ...any) {
		if wrong {
			problem := c.Name + ": " + fmt.Sprintf(format, args...)
			faults = append(faults, fault{"ConsumerConfig." + field, problem})
		}
	}
	blame(c.AckPolicy != jetstream.AckExplicitPolicy, "AckPolicy",
		"%v loses messages whose process dies; set jetstream.AckExplicitPolicy", c.AckPolicy)
	blame(len(c.BackOff) > 0, "BackOff",
		"%v is added to the policy's waits; leave it empty", c.BackOff)
	blame(c.MaxDeliver > 0, "MaxDeliver",
		"%d ends messages without a dead letter; set -1 and retry.WithMaxAttempts", c.MaxDeliver)
	blame(c.PriorityPolicy != jetstream.PriorityPolicyNone, "PriorityPolicy",
		"priority groups are not supported")
	blame(c.MaxRequestBatch > 0 && cfg.Prefetch >= c.MaxRequestBatch, "MaxRequestBatch",
		"%d is below the %d of Config.Prefetch and one", c.MaxRequestBatch, cfg.Prefetch+1)
	return faults
}

// checkDeadLetter returns what is wrong with the subject of dead letters, nil if nothing is, or an
// error of the request to the server.
func checkDeadLetter(ctx context.Context, js jetstream.JetStream, subject, source string) (wrong, err error) {
	stream, err := js.StreamNameBySubject(ctx, subject)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fault{"Config.DeadLetter", fmt.Sprintf(
			"no stream takes the subject %q; create one", subject)}, nil
	case err != nil:
		return nil, err
	case stream == source:
		return fault{"Config.DeadLetter", fmt.Sprintf(
			"%q belongs to the stream %s that is consumed; dead letters need one of their own", subject, stream)}, nil
	}
	return nil, nil
}

// check returns everything that is wrong, and learns how the consumer is set up.
func (c *consumption) check() error {
	faults := checkLocal(c.js, c.consumer, c.handler, &c.cfg)
	if c.js == nil || c.consumer == nil {
		return errors.Join(faults...)
	}
	known := c.consumer.CachedInfo()
	if known == nil {
		return errors.Join(append(faults, fault{"Consume", "an ordered Consumer acknowledges nothing; use a pull consumer"})...)
	}
	c.stream, c.name = known.Stream, known.Name
	ask := func(fn func(ctx context.Context) error) error {
		if faults != nil { // they are worth knowing although the server is away
			ctx, cancel := context.WithTimeout(c.ctx, requestTime)
			defer cancel()
			return fn(ctx)
		}
		return c.ask(c.ctx, c.policies.check, fn)
	}
	err := ask(func(ctx context.Context) error {
		found, err := c.checkServer(ctx)
		if err == nil {
			faults = append(faults, found...)
		}
		return err
	})
	if err != nil {
		faults = append(faults, fmt.Errorf("retrynats: the server cannot be asked about the consumer: %w", err))
	}
	return errors.Join(faults...)
}

// checkServer returns what the server says is wrong.
func (c *consumption) checkServer(ctx context.Context) (faults []error, err error) {
	info, err := c.info(ctx)
	if err != nil {
		return nil, err
	}
	c.adopt(info)
	faults = checkConsumer(info, &c.cfg)
	if literal(c.cfg.DeadLetter) {
		wrong, err := checkDeadLetter(ctx, c.js, c.cfg.DeadLetter, info.Stream)
		if err != nil {
			return nil, err
		}
		if wrong != nil {
			faults = append(faults, wrong)
		}
	}
	if c.cfg.State != nil {
		wrong, err := c.checkState(ctx)
		if err != nil {
			return nil, err
		}
		if wrong != nil {
			faults = append(faults, wrong)
		}
	}
	return faults, nil
}

// info asks how the consumer is set up now. The caller's Consumer is not asked: its Info is not
// safe for concurrent use.
func (c *consumption) info(ctx context.Context) (*jetstream.ConsumerInfo, error) {
	consumer, err := c.js.Consumer(ctx, c.stream, c.name)
	if err != nil {
		return nil, err
	}
	return consumer.CachedInfo(), nil
}

// checkState looks at the bucket.
func (c *consumption) checkState(ctx context.Context) (wrong, err error) {
	bucket, err := c.cfg.State.Status(ctx)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, jetstream.ErrBucketNotFound):
		return fault{"Config.State", fmt.Sprintf("the bucket %s does not exist; create it", c.cfg.State.Bucket())}, nil
	case err != nil:
		return nil, err
	}
	c.markerTTL = bucket.LimitMarkerTTL()
	return nil, nil
}

// adopt keeps what matters of the consumer.
func (c *consumption) adopt(info *jetstream.ConsumerInfo) {
	c.ackWait = info.Config.AckWait
	if limit := info.Config.MaxRequestExpires; limit > 0 {
		c.pullTime = min(c.pullTime, limit)
	}
	c.policies = newPolicies(c.log, c.ackWait)
}
