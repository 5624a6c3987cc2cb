// Package engines is the code of docs/engines.md: how engines that count, wait and repeat by
// themselves are made to ask a policy. A test holds the page to be this code.
package engines
