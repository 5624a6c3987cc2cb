package retryhttp_test

import (
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retryhttp"
)

// longest is the longest Duration.
const longest = time.Duration(math.MaxInt64)

type retryAfterTest struct {
	name, text, date string
	want             time.Duration
	ok               bool
}

// retryAfterTests are read at noon of the leap day.
var retryAfterTests = []retryAfterTest{
	{name: "seconds", text: "120", want: 2 * time.Minute, ok: true},
	{name: "zero", text: "0", want: 0, ok: true},
	{name: "leading zeros", text: "0007", want: 7 * time.Second, ok: true},
	{name: "an epoch", text: "1742040000", want: 1742040000 * time.Second, ok: true},
	{name: "the most that fits", text: "9223372036", want: 9223372036 * time.Second, ok: true},
	{name: "one more", text: "9223372037", want: longest, ok: true},
	{name: "most of an int64", text: "9223372036854775807", want: longest, ok: true},
	{name: "more than an int64", text: "9223372036854775808", want: longest, ok: true},
	{name: "more than a uint64", text: "99999999999999999999999999", want: longest, ok: true},
	{name: "none"},
	{name: "sign", text: "-1"},
	{name: "plus", text: "+1"},
	{name: "fraction", text: "1.5", want: 1500 * time.Millisecond, ok: true},
	{name: "fraction of nothing", text: "2.0", want: 2 * time.Second, ok: true},
	{name: "fraction below a nanosecond", text: "0.00000000001", want: 0, ok: true},
	{name: "fraction that overflows", text: "9223372036.9", want: longest, ok: true},
	{name: "fraction without digits", text: "1."},
	{name: "fraction alone", text: ".5"},
	{name: "two fractions", text: "1.5.0"},
	{name: "negative fraction", text: "1.-5"},
	{name: "exponent", text: "1e3"},
	{name: "hexadecimal", text: "0x10"},
	{name: "underscore", text: "1_000"},
	{name: "unit", text: "5s"},
	{name: "space", text: "1 2"},
	{name: "blanks around", text: " 12 \t", want: 12 * time.Second, ok: true},
	{name: "blanks around a date", text: " Thu, 29 Feb 2024 12:00:10 GMT ", want: 10 * time.Second, ok: true},
	{name: "blanks alone", text: "  "},
	{name: "comma", text: "1,000"},
	{name: "other digits", text: "١٢"},
	{name: "word", text: "soon"},
	{name: "duration", text: "1m0s"},
	{name: "date of ISO 8601", text: "2024-02-29T12:00:10Z"},
	{name: "HTTP date", text: "Thu, 29 Feb 2024 12:00:10 GMT", want: 10 * time.Second, ok: true},
	{name: "RFC 850 date", text: "Thursday, 29-Feb-24 12:00:10 GMT", want: 10 * time.Second, ok: true},
	{name: "asctime date", text: "Thu Feb 29 12:00:10 2024", want: 10 * time.Second, ok: true},
	{name: "now", text: "Thu, 29 Feb 2024 12:00:00 GMT", want: 0, ok: true},
	{name: "past", text: "Thu, 29 Feb 2024 11:00:00 GMT", want: 0, ok: true},
	{name: "long past", text: "Mon, 01 Jan 0001 00:00:00 GMT", want: 0, ok: true},
	{name: "far future", text: "Fri, 31 Dec 9999 23:59:59 GMT", want: longest, ok: true},
	{
		name: "server's clock", text: "Thu, 29 Feb 2024 18:00:10 GMT", date: "Thu, 29 Feb 2024 18:00:00 GMT",
		want: 10 * time.Second, ok: true,
	},
	{
		name: "past by the server's clock", text: "Thu, 29 Feb 2024 12:00:10 GMT", date: "Thu, 29 Feb 2024 18:00:00 GMT",
		want: 0, ok: true,
	},
	{
		name: "bad date of the server", text: "Thu, 29 Feb 2024 12:00:10 GMT", date: "today",
		want: 10 * time.Second, ok: true,
	},
	{name: "seconds ignore the server's clock", text: "5", date: "Thu, 29 Feb 2024 18:00:00 GMT", want: 5 * time.Second, ok: true},
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, test := range retryAfterTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			resp := &http.Response{Header: http.Header{}}
			if test.text != "" {
				resp.Header.Set("Retry-After", test.text)
			}
			if test.date != "" {
				resp.Header.Set("Date", test.date)
			}
			got, ok := retryhttp.RetryAfter(resp, leapDay)
			assert.Equal(t, test.ok, ok)
			assert.Equal(t, test.want, got)
		})
	}
	t.Run("no headers at all", func(t *testing.T) {
		t.Parallel()
		_, ok := retryhttp.RetryAfter(&http.Response{}, leapDay)
		assert.False(t, ok)
	})
}

var decimal = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{
		"", "0", "120", "-1", "9223372036", "9223372037", "9223372036854775808", "1.5", "+1",
		"Thu, 29 Feb 2024 12:00:10 GMT", "Thursday, 29-Feb-24 12:00:10 GMT", "Thu Feb 29 12:00:10 2024", "soon",
	} {
		f.Add(text, "", int64(0))
		f.Add(text, "Thu, 29 Feb 2024 18:00:00 GMT", int64(math.MaxInt32))
	}
	f.Fuzz(func(t *testing.T, text, date string, unix int64) {
		resp := &http.Response{Header: http.Header{"Retry-After": {text}, "Date": {date}}}
		d, ok := retryhttp.RetryAfter(resp, time.Unix(unix, 0))
		require.GreaterOrEqual(t, d, time.Duration(0))
		trimmed := strings.Trim(text, " \t")
		_, err := http.ParseTime(trimmed)
		require.Equal(t, decimal.MatchString(trimmed) || err == nil, ok, "digits, perhaps with a fraction, or a date")
		if !ok {
			require.Zero(t, d)
		}
	})
}
