package retrynats

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "JOBS-1_a", escape("JOBS-1_a"))
	assert.Equal(t, "b=C3=BCcher", escape("bücher"))
	assert.Equal(t, "a=3Db", escape("a=b"))
}
