// Package kubernetes is the recipe "Kubernetes: the conflict loop" of docs/cookbook.md: an update by
// client-go that is made again on the newest version of the object when somebody else was faster.
// It is a module of its own, for client-go's sake.
package kubernetes
