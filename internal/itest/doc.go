// Package itest tests packages of the core module against what they must not depend on: a
// TCP proxy that misbehaves, HTTP/2 frame by frame, and, in its folder retrysql, real databases
// whose connections are cut at chosen points. In its folder retrynats NATS servers and workers are
// processes that are killed and started again. It is never tagged.
package itest
