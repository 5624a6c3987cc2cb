package cookbook

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-205ff063/retry"
)

var errSome = errors.New("some records were not taken")

// putAll sends the records, and again only those that failed. The error says how many are left; left
// are those that were not taken.
func putAll(ctx context.Context, records []string, send func(context.Context, []string) (failed []string, err error)) (left []string, err error) {
	left = records
	err = retry.Do(ctx, func(ctx context.Context) error {
		failed, err := send(ctx, left)
		if err != nil {
			return err // nothing is known of any record: all are sent again
		}
		if left = failed; len(left) > 0 {
			return fmt.Errorf("%d: %w", len(left), errSome)
		}
		return nil
	})
	return left, err
}

func Example_batch() {
	fails := map[string]int{"b": 2, "c": 1} // how often each fails
	send := func(_ context.Context, records []string) (failed []string, err error) {
		fmt.Println("send", records)
		for _, r := range records {
			if fails[r] > 0 {
				fails[r]--
				failed = append(failed, r)
			}
		}
		return failed, nil
	}
	fmt.Println(putAll(context.Background(), []string{"a", "b", "c", "d"}, send))
	// Output:
	// send [a b c d]
	// send [b c]
	// send [b]
	// [] <nil>
}
