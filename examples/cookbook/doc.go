// Package cookbook holds the code of docs/cookbook.md: a file for each recipe, run by its examples
// and tests. A test compares the page with the code.
package cookbook
