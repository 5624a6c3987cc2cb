// Fakeclock shows how to test code that retries without waiting. The function under test is WaitReady
// in ready.go.
//
//	go run ./examples/fakeclock
//	go test -v ./examples/fakeclock
//
// The program itself calls WaitReady once, in real time, with short waits. It takes less than a
// second. The tests run on three clocks that are not real:
//
//  1. retrytest_test.go uses the Clock of package retrytest, which is made for this. Start here.
//  2. synctest_test.go uses testing/synctest: no clock is passed, and the code may start goroutines.
//  3. mock_test.go uses the Mock of github.com/benbjohnson/clock, for code that has it already.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/examples/internal/help"
)

//go:embed main.go
var source string

func main() {
	help.Parse(source)
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	probes := 0
	probe := func(context.Context) error {
		if probes++; probes < 4 {
			return errors.New("still starting")
		}
		return nil
	}
	start := time.Now()
	if err := WaitReady(ctx, probe, retry.WithBackoff(retry.Constant(20*time.Millisecond))); err != nil {
		return err
	}
	fmt.Fprintf(w, "ready after %d probes in %v\n", probes, time.Since(start).Round(time.Millisecond))
	return nil
}
