package retryotel_test

import (
	"go/build"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestImports checks that the package imports OpenTelemetry's API and no SDK.
func TestImports(t *testing.T) {
	t.Parallel()
	p, err := build.ImportDir(".", 0)
	require.NoError(t, err)
	for _, path := range p.Imports {
		const ours, api = "github.com/seed-205ff063/retry", "go.opentelemetry.io/otel"
		isStandard := !strings.Contains(path, ".")
		isAPI := path == api || strings.HasPrefix(path, api+"/") && !strings.Contains(path, "/sdk")
		assert.True(t, isStandard || isAPI || strings.HasPrefix(path, ours), path)
	}
}
