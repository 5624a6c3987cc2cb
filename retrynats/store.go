package retrynats

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// readEntry reads the entry of d from State. If there is no usable one, d.known stays false.
func (c *consumption) readEntry(d *delivery) error {
	var stored jetstream.KeyValueEntry
	err := c.finalRequest(c.policies.get, func(ctx context.Context) (err error) {
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
	if e, ok := c.decodeEntry(d, stored); ok {
		d.entry, d.known = e, true
	}
	return nil
}

// decodeEntry returns what is stored, if it is an entry of the message. If not, it logs why.
func (c *consumption) decodeEntry(d *delivery, stored jetstream.KeyValueEntry) (entry, bool) {
	e, err := decode(stored.Value(), d.meta.Timestamp.UnixNano())
	if err != nil {
		c.log.Warn("retrynats: the state of a message is not used; the message is handled as if it had none",
			"key", stored.Key(), "problem", err.Error())
	}
	return e, err == nil
}

// writeEntry stores d.entry. It merges what another worker stored in the meantime.
func (c *consumption) writeEntry(d *delivery) error {
	d.entry.Stored = d.meta.Timestamp.UnixNano()
	if d.entry.At == 0 {
		d.entry.At = time.Now().UnixNano() // no attempt counts yet
	}
	d.entry.Delivered = max(d.entry.Delivered, d.meta.NumDelivered)
	return c.finalRequest(c.policies.put, func(ctx context.Context) error {
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

// put stores d.entry, if nothing newer than d.revision is stored.
func (c *consumption) put(ctx context.Context, d *delivery) error {
	key, value := stateKey(d.meta), d.entry.encode()
	var revision uint64
	var err error
	if d.revision == 0 {
		revision, err = c.cfg.State.Create(ctx, key, value)
	} else {
		revision, err = c.cfg.State.Update(ctx, key, value, d.revision)
	}
	if err != nil {
		return err
	}
	d.revision, d.known = revision, true
	return nil
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
	if e, ok := c.decodeEntry(d, stored); ok {
		d.entry.merge(e)
	}
	return nil
}

// removeEntry removes the entry of d, whose message has ended. If that fails, the bucket's TTL
// removes it.
func (c *consumption) removeEntry(d *delivery) {
	if !d.known && d.revision == 0 {
		return
	}
	_ = c.finalRequest(c.policies.purge, func(ctx context.Context) error {
		var opts []jetstream.KVDeleteOpt
		if c.markerTTL > 0 {
			opts = append(opts, jetstream.PurgeTTL(c.markerTTL))
		}
		return c.cfg.State.Purge(ctx, stateKey(d.meta), opts...)
	})
}
