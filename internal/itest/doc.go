// Package itest tests packages of the core module against what they must not depend on: a
// TCP proxy that misbehaves, and HTTP/2 frame by frame. It is never tagged.
package itest
