// Package kubernetes is the recipe "Kubernetes: the conflict loop" of docs/cookbook.md. It updates an
// object with client-go, and after a conflict makes the update again on the newest version. It is a
// module of its own, so the other examples do not require client-go.
package kubernetes
