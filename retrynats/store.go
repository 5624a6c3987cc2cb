package retrynats

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// read gets the entry of d. If there is none that can be used, d.known stays false.
func (c *consumption) read(d *delivery) error {
	var stored jetstream.KeyValueEntry
	err := c.request(c.policies.get, func(ctx context.Context) (err error) {
		stored, err = c.cfg.State.Get(ctx, stateKey(d.meta))
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			stored, err = nil, nil
		}
		return err
	})
	if err != nil || stored == nil {
		return err
	}
	d.revision = stored.Revision()
	e, err := decode(stored.Value(), d.meta.Timestamp.UnixNano())
	if err != nil {
		c.log.Warn("retrynats: the state of a message is not used; it is worked on as if there were none",
			"key", stored.Key(), "problem", err.Error())
		return nil
	}
	d.entry, d.known = e, true
	return nil
}

// write stores d.entry, together with what another worker stored of the message meanwhile.
func (c *consumption) write(d *delivery) error {
	d.entry.Stored = d.meta.Timestamp.UnixNano()
	if d.entry.At == 0 {
		d.entry.At = time.Now().UnixNano() // no attempt yet that counts
	}
	d.entry.Delivered = max(d.entry.Delivered, d.meta.NumDelivered)
	return c.request(c.policies.put, func(ctx context.Context) error {
		err := c.put(ctx, d)
		if !errors.Is(err, jetstream.ErrKeyRevisionMismatch) && !errors.Is(err, jetstream.ErrKeyExists) {
			return err
		}
		if err := c.mergeStored(ctx, d); err != nil {
			return err
		}
		return c.put(ctx, d)
	})
}

// put stores d.entry in place of what d knows to be stored.
func (c *consumption) put(ctx context.Context, d *delivery) (err error) {
	key, value := stateKey(d.meta), d.entry.encode()
	if d.revision == 0 {
		d.revision, err = orElse(d.revision)(c.cfg.State.Create(ctx, key, value))
	} else {
		d.revision, err = orElse(d.revision)(c.cfg.State.Update(ctx, key, value, d.revision))
	}
	if err == nil {
		d.known = true
	}
	return err
}

// orElse keeps the old revision where there is no new one.
func orElse(old uint64) func(uint64, error) (uint64, error) {
	return func(revision uint64, err error) (uint64, error) {
		if err != nil {
			return old, err
		}
		return revision, nil
	}
}

// mergeStored reads what is stored now and merges it into d.entry.
func (c *consumption) mergeStored(ctx context.Context, d *delivery) error {
	stored, err := c.cfg.State.Get(ctx, stateKey(d.meta))
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		d.revision = 0
		return nil
	case err != nil:
		return err
	}
	d.revision = stored.Revision()
	if e, err := decode(stored.Value(), d.meta.Timestamp.UnixNano()); err == nil {
		d.entry.merge(e)
	}
	return nil
}

// forget removes the entry of d, whose message has ended. What is left behind if that fails is
// removed by the bucket's TTL.
func (c *consumption) forget(d *delivery) {
	if !d.known && d.revision == 0 {
		return
	}
	_ = c.request(c.policies.purge, func(ctx context.Context) error {
		var opts []jetstream.KVDeleteOpt
		if c.markerTTL > 0 {
			opts = append(opts, jetstream.PurgeTTL(c.markerTTL))
		}
		return c.cfg.State.Purge(ctx, stateKey(d.meta), opts...)
	})
}
