// Package choosing_test has the code of docs/choosing.md.
package choosing_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
)

var budget = retry.NewBudget(0.1, 20) // one for all calls to this server

var policy = retry.MustNew(
	retry.WithMaxAttempts(3),
	retry.WithAttemptTimeout(2*time.Second),
	retry.WithBudget(budget),
	retry.WithStopIf(retry.AlreadyRetried),
)

func Example_policy() {
	err := policy.Do(context.Background(), func(context.Context) error {
		return retry.Permanent(errors.New("no such user"))
	})
	fmt.Println(errors.Is(err, retry.ErrPermanent), budget.Tokens())
	// Output: true 20
}

var cooldown = retry.Cooldown(time.Minute)

func send(ctx context.Context, fn func(context.Context) error) error {
	return retry.Do(ctx, fn, retry.WithMaxAttempts(8), retry.WithGate(cooldown))
}

func Example_cooldown() {
	fmt.Println(send(context.Background(), func(context.Context) error { return nil }))
	// Output: <nil>
}
