// Package retrytest helps to unit-test code that retries: a virtual clock on which waits take
// no time and are recorded, functions and HTTP handlers that fail as scripted, and a
// conformance test for backoffs.
//
// Code under test that takes retry options, or a policy, is given a [Clock]:
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
// The test takes no time at all. retry.NoJitter makes the waits exact. What fn does takes
// virtual time when it calls [Clock.Advance], attempt timeouts run on the Clock too, and
// [Clock.WithTimeout] gives a caller's context with a deadline.
//
// [Fail], [FailValue], [Script] and [ScriptValue] are functions to retry, [Handler] is a server
// to call, and [TestBackoff] checks a backoff of your own. Code that already goes by a mock
// clock, such as that of github.com/benbjohnson/clock, keeps it: [Auto] moves it on by itself.
//
// Nothing sleeps, and everything is safe for concurrent use. The package imports the standard
// library and package retry alone.
package retrytest
