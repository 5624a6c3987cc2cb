package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/seed-205ff063/retry"
)

// The environment of a worker's process: the engine's name and address, and the mailbox's folder.
const (
	engineVariable  = "DURABLE_ENGINE"
	addressVariable = "DURABLE_ADDRESS"
	boxVariable     = "DURABLE_BOX"
)

func isWorker() bool { return os.Getenv(engineVariable) != "" }

// work runs a worker until ctx ends or the parent process closes its input.
func work(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	name := os.Getenv(engineVariable)
	run, ok := workersByEngine[name]
	if !ok {
		return fmt.Errorf("there is no engine %q", name)
	}
	box := mailbox{os.Getenv(boxVariable)}
	return run(ctx, os.Getenv(addressVariable), policy, box.handle)
}

var (
	errBusy    = errors.New("mailbox is busy")
	errUnknown = errors.New("no such user")
)

// handle processes a job: it delivers a mail.
func (m mailbox) handle(ctx context.Context, key string, payload []byte) error {
	job, err := strconv.Atoi(string(payload))
	if err != nil {
		return retry.Permanent(err)
	}
	select {
	case <-time.After(20 * time.Millisecond): // the work
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case job%50 == 0:
		return retry.Permanent(errUnknown)
	case job%77 == 0: // in every attempt
		return errBusy
	case job%4 == 0:
		first, err := m.first(key)
		if err != nil {
			return err
		}
		if first {
			return errBusy
		}
	}
	return m.deliver(key, job)
}
