// Package cookbook has the code of docs/cookbook.md. Each recipe is a file with examples and tests. A
// test compares the page with the code.
package cookbook
