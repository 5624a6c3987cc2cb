package retrypgx_test

import (
	"go/build"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestImports checks that this package needs only pgx, without its pool, and exported packages of
// this project.
func TestImports(t *testing.T) {
	t.Parallel()
	p, err := build.ImportDir(".", 0)
	require.NoError(t, err)
	for _, path := range p.Imports {
		ours := strings.HasPrefix(path, "github.com/seed-205ff063/retry") && !strings.Contains(path, "/internal/")
		assert.True(t, ours || !strings.Contains(path, ".") || path == "github.com/jackc/pgx/v5", path)
	}
}
