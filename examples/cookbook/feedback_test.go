package cookbook

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-205ff063/retry"
)

// write asks a model for a program until the compiler takes it. From the second attempt on the
// prompt has what was wrong with the one before.
func write(ctx context.Context, model func(ctx context.Context, prompt string) (string, error), compile func(string) error) (program string, err error) {
	for ctx, n := range retry.Attempts(ctx, &err, retry.WithBackoff(retry.Constant(0))) {
		prompt := "Write a program that prints hello."
		if n > 1 {
			prompt += " The last one failed: " + retry.ErrorText(err)
		}
		if program, err = model(ctx, prompt); err != nil {
			continue
		}
		err = compile(program)
	}
	return program, err
}

func Example_feedback() {
	model := func(_ context.Context, prompt string) (string, error) {
		fmt.Println("prompt:", prompt)
		if len(prompt) < 40 {
			return "print hello", nil
		}
		return `print("hello")`, nil
	}
	compile := func(program string) error {
		if program == "print hello" {
			return errors.New("parentheses are missing")
		}
		return nil
	}
	fmt.Println(write(context.Background(), model, compile))
	// Output:
	// prompt: Write a program that prints hello.
	// prompt: Write a program that prints hello. The last one failed: parentheses are missing
	// print("hello") <nil>
}
