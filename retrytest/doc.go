// Package retrytest helps to test code that retries. It has a virtual clock that records waits and takes
// no time for them. It has functions and HTTP handlers that fail as scripted, and a test for backoffs.
//
// Most tests give a [Clock] to the code under test, with its options or its policy:
//
//	func TestFetch(t *testing.T) {
//		var clk retrytest.Clock
//		fn := retrytest.Fail(2, errors.New("connection refused"))
//
//		err := retry.Do(t.Context(), fn, retry.WithClock(&clk), retry.WithJitter(retry.NoJitter))
//
//		fmt.Println(err, clk.Waits()) // <nil> [100ms 200ms]
//	}
//
// The test takes no time. retry.NoJitter makes the waits exact.
//
// # Time
//
// A function that is retried calls [Clock.Advance] to take virtual time. Attempt timeouts run on the
// Clock too. [Clock.WithTimeout] makes a caller's context with a virtual deadline.
//
// Code that already uses a mock clock, such as github.com/benbjohnson/clock, keeps it. [Auto] makes a
// mock advance by itself.
//
// # Functions, servers and backoffs
//
// [Fail], [FailValue], [Script] and [ScriptValue] make functions to retry. [Handler] makes a server
// to call. [TestBackoff] checks a backoff of your own.
//
// Nothing sleeps. Everything is safe for concurrent use. The package imports only the standard
// library and package retry.
package retrytest
