package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCodeOf(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "no reply", codeOf(errors.New("unexpected EOF")))
	assert.Equal(t, "SQLite's code 13", sqliteName(13))
}
