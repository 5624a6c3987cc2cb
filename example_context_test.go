package retry_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
)

// body is a value that needs its attempt's context to be read.
type body struct {
	ctx   context.Context
	Close func()
}

// The attempt's timeout would end with the function, and the body could not be read.
func ExampleKeepContext() {
	response, err := retry.DoValue(context.Background(), func(ctx context.Context) (body, error) {
		return body{ctx: ctx, Close: retry.KeepContext(ctx)}, nil
	}, retry.WithAttemptTimeout(10*time.Second))
	fmt.Println(err, response.ctx.Err())
	response.Close()
	fmt.Println(response.ctx.Err())
	// Output:
	// <nil> <nil>
	// context canceled
}
