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

// account is the user that servers run as. If it is nil, that is the user of the test.
type account *syscall.Credential

// accountOf returns the named user's account if the test runs as root, and nil otherwise.
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

// command returns a command that runs as the account. It runs in the given folder, because the account
// may have no access to the folder of the test. Its environment has no variables that servers and their
// tools read.
func command(a account, folder, program string, args ...string) *exec.Cmd {
	// Not with the test's context, because servers are stopped after it has ended.
	cmd := exec.CommandContext(context.Background(), program, args...) //nolint:gosec // find has found it
	cmd.Dir = folder
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH") + ":/usr/sbin:/usr/bin:/sbin:/bin"}
	// In its own process group, so that only the test gets Ctrl-C.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a, Setpgid: true}
	return cmd
}

// newFolder creates a folder that belongs to the account. It does not use t.TempDir, which only the user
// of the test can enter.
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

// open reports whether every user can create a file in the folder.
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
