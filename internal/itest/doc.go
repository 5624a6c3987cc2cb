// Package itest tests the other modules of this repository with what they must not depend on. It is
// never tagged.
//
//   - This folder tests retryhttp behind a TCP proxy that misbehaves, with HTTP/2 frame by frame, and
//     below the wrappers that people use.
//   - Folder retrysql tests retrysql and retrypgx on real databases, whose connections are cut at
//     chosen points.
//   - Folder ncruces tests retrysql with one more driver for SQLite.
//   - Folders retrynats and retryriver kill and restart servers and workers, which are processes.
//   - Package cut is the proxy that cuts connections to a database.
//   - Package servers starts database servers.
//
// Tests that need a server which is not installed are skipped.
package itest
