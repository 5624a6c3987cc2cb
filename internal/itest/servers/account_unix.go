//go:build unix

package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who servers run as: nil is who runs the test.
type account *syscall.Credential

// accountOf returns the named one if the test runs as root.
func accountOf(name string) (account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// command returns one that runs in the folder as the account, which may not be allowed into
// the folder of the test. Its environment has nothing that servers and their tools look at.
func command(a account, folder, program string, args ...string) *exec.Cmd {
	// Not with the test's context: servers are stopped after that has ended.
	cmd := exec.CommandContext(context.Background(), program, args...) //nolint:gosec // found by find
	cmd.Dir = folder
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH") + ":/usr/sbin:/usr/bin:/sbin:/bin"}
	// In a process group of its own, so that Ctrl-C is the test's alone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a, Setpgid: true}
	return cmd
}

// newFolder returns one that is the account's. It is not t.TempDir, which nobody but its owner
// gets into.
func newFolder(a account) (string, error) {
	parent := os.TempDir()
	if a != nil && !open(parent) {
		parent = "/tmp"
	}
	folder, err := os.MkdirTemp(parent, "retry-server-")
	if err != nil || a == nil {
		return folder, err
	}
	if err := os.Chown(folder, int(a.Uid), int(a.Gid)); err != nil {
		return "", fmt.Errorf("%w, and %w", err, os.Remove(folder))
	}
	return folder, nil
}

// open reports whether anybody can make a file in the folder.
func open(folder string) bool {
	info, err := os.Stat(folder)
	if err != nil || info.Mode()&0o003 != 0o003 {
		return false
	}
	for folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
		if info, err := os.Stat(folder); err != nil || info.Mode()&0o001 == 0 {
			return false
		}
	}
	return true
}
