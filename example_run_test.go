package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// With a Run your own loop does the waiting. Here two uploads share a goroutine, and the one
// that has to wait goes back to the queue. A real queue would hold it there until it is due.
func ExampleRun() {
	policy := retry.MustNew(retry.WithBackoff(retry.Constant(time.Second)))
	type upload struct {
		file     string
		failures int // still to come
		run      *retry.Run
	}
	queue := []*upload{
		{"a.txt", 2, policy.Start(context.Background())},
		{"b.txt", 0, policy.Start(context.Background())},
	}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		wait, again := next.run.Try(func(ctx context.Context) error {
			if next.failures--; next.failures >= 0 {
				return errors.New("status 503")
			}
			return nil
		})
		if again {
			fmt.Println(next.file, "comes back in", wait)
			queue = append(queue, next)
			continue
		}
		fmt.Println(next.file, "ended:", next.run.Err())
	}
	// Output:
	// a.txt comes back in 1s
	// b.txt ended: <nil>
	// a.txt comes back in 1s
	// a.txt ended: <nil>
}

// Try makes one attempt. It returns how long to wait and whether to try again.
func ExampleRun_Try() {
	run := retry.MustNew(
		retry.WithBackoff(retry.Sequence(time.Second, time.Minute)),
		retry.WithMaxAttempts(3)).Start(context.Background())
	deliver := func(ctx context.Context) error { return errors.New("mailbox is full") }

	for wait, again := run.Try(deliver); again; wait, again = run.Try(deliver) {
		fmt.Println("next try in", wait) // the program can do something else here
	}
	fmt.Println(errors.Is(run.Err(), retry.ErrExhausted))
	// Output:
	// next try in 1s
	// next try in 1m0s
	// true
}

// When Try returns false, Err returns the result of the call.
func ExampleRun_Err() {
	run := retry.MustNew().Start(context.Background())
	_, again := run.Try(func(ctx context.Context) error {
		return retry.Permanent(errors.New("no such mailbox"))
	})

	var e *retry.Error
	if !again && errors.As(run.Err(), &e) {
		fmt.Println("dead letter:", e.Err)
	}
	// Output: dead letter: no such mailbox
}

// Start begins a call without making an attempt.
func ExamplePolicy_Start() {
	policy := retry.MustNew(retry.WithBackoff(retry.Constant(time.Minute)))
	run := policy.Start(context.Background())

	wait, again := run.Try(func(ctx context.Context) error { return errors.New("status 503") })
	fmt.Println(wait, again)

	wait, again = run.Try(func(ctx context.Context) error { return nil }) // a minute later
	fmt.Println(wait, again, run.Err())
	// Output:
	// 1m0s true
	// 0s false <nil>
}

// TryValue makes one attempt and validates its value. A rejected value is retried.
func ExampleTryValue() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Constant(time.Minute)),
		retry.WithValidator(func(status string, _ retry.Attempt) error {
			if status == "pending" {
				return errors.New("not done yet")
			}
			return nil
		}))
	answers := []string{"pending", "shipped"}
	ask := func(ctx context.Context) (status string, err error) {
		status, answers = answers[0], answers[1:]
		return status, nil
	}

	run := policy.Start(context.Background())
	for again := true; again; {
		var status string
		var wait time.Duration
		status, wait, again = retry.TryValue(run, ask)
		fmt.Println(status, wait, again)
	}
	fmt.Println(run.Err())
	// Output:
	// pending 1m0s true
	// shipped 0s false
	// <nil>
}

// A durable queue stores three fields with each job. Another process can make the next attempt
// of the same call, an hour or a restart later.
func ExamplePolicy_Resume() {
	var row struct { // a row in the database
		Attempt        int
		Elapsed, Delay time.Duration
	}
	store := retry.Hooks{BeforeWait: func(ctx context.Context, a retry.Attempt) {
		row.Attempt, row.Elapsed, row.Delay = a.Number, a.Elapsed, a.Delay
	}}
	policy := retry.MustNew(
		retry.WithMaxAttempts(3),
		retry.WithBackoff(retry.Sequence(time.Minute, time.Hour)),
		retry.WithHooks(store))
	deliver := func(ctx context.Context) error { return errors.New("mailbox is full") }

	_, again := policy.Start(context.Background()).Try(deliver)
	for again {
		fmt.Println("stored: attempt", row.Attempt, "failed, the next is due in", row.Delay)

		last := retry.Attempt{Number: row.Attempt, Elapsed: row.Elapsed, Delay: row.Delay}
		run := policy.Resume(context.Background(), last)
		if _, again = run.Try(deliver); !again {
			fmt.Println(errors.Is(run.Err(), retry.ErrExhausted))
		}
	}
	// Output:
	// stored: attempt 1 failed, the next is due in 1m0s
	// stored: attempt 2 failed, the next is due in 1h0m0s
	// true
}

// A queue stores the result of Last, and another process resumes from it.
func ExampleRun_Last() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Constant(time.Minute)),
		retry.WithClock(new(retrytest.Clock)))

	run := policy.Start(context.Background())
	run.Try(func(ctx context.Context) error { return errors.New("status 503") })
	last := run.Last()
	fmt.Println(last.Number, last.Delay, last.Err)

	run = policy.Resume(context.Background(), last)
	run.Try(func(ctx context.Context) error { return errors.New("status 502") })
	last = run.Last()
	fmt.Println(last.Number, last.Elapsed, last.Err)
	// Output:
	// 1 1m0s status 503
	// 2 1m0s status 502
}
