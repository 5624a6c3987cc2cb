package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCodeName(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "no reply", codeName(errors.New("unexpected EOF")))
	assert.Equal(t, "SQLite's code 13", sqliteName(13))
}
