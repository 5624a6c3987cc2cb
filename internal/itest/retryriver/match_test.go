package retryriver_test

import (
	"regexp"
	"strings"

	"github.com/riverqueue/river/rivertype"
)

// pattern matches the text, where * stands for a duration.
func pattern(text string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `[0-9.a-zµ]+`) + "$")
}

// metadata is the job's metadata.
func metadata(job *rivertype.JobRow) string { return string(job.Metadata) }
