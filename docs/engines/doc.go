// Package engines has the code of docs/engines.md: adapters that let a policy decide about the
// retries of other engines. A test checks that the page shows this code.
package engines
