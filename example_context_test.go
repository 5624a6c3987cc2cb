package retry_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
)

// body is a value that can be read only while its attempt's context is alive.
type body struct {
	ctx   context.Context
	Close func()
}

// KeepContext keeps the context of an attempt alive after the function has returned. Without it
// the attempt's timeout would end with the function and the body could not be read.
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
