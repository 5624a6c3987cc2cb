//go:build unix

package servers_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/servers"
)

// Environment variables for a process that runs TestChild: the kind of server to start, and a setting.
const inChild, withSetting = "RETRY_TEST_CHILD", "RETRY_TEST_SETTING"

func TestChild(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		if k.name != os.Getenv(inChild) {
			continue
		}
		s := k.start(t, strings.Fields(os.Getenv(withSetting))...)
		s.Restart(t)
		fmt.Println("started", s.Addr, servers.Folder(s), servers.Template(s))
		select {}
	}
}

// child returns the command of a process that runs TestChild.
func child(t *testing.T, kind, setting string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), inChild+"="+kind, withSetting+"="+setting)
	t.Cleanup(func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
		}
	})
	return cmd
}

// TestKilled checks that nothing is left of a server if the process of its test is killed, even if the
// server was restarted before.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			_ = k.start(t) // skips the test if there is no server
			cmd := child(t, k.name, "")
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			var fields []string
			for lines := bufio.NewScanner(stdout); len(fields) != 4 && lines.Scan(); {
				fields = strings.Fields(lines.Text())
			}
			require.Len(t, fields, 4, "the child has not started its server")
			addr, folder, template := fields[1], fields[2], fields[3]
			require.True(t, listens(t, addr))
			require.NotEmpty(t, remains(t, folder))
			require.NotEmpty(t, remains(t, template))

			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait())
			start := time.Now()
			assert.Eventually(t, func() bool { return !listens(t, addr) }, 10*time.Second, 5*time.Millisecond)
			assert.Eventually(t, func() bool { return len(remains(t, folder)) == 0 }, 10*time.Second, 5*time.Millisecond)
			assert.Eventually(t, func() bool { return len(remains(t, template)) == 0 }, 10*time.Second, 5*time.Millisecond)
			t.Logf("gone after %v", time.Since(start))
		})
	}
}

// TestPortTaken checks that a server is not mistaken for another server on the same port.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s := k.start(t)
			require.NoError(t, servers.Ping(t.Context(), s))
			require.ErrorContains(t, servers.Ping(t.Context(), servers.Imposter(s)), s.Addr+" is the server of "+servers.Folder(s))

			_, port, err := net.SplitHostPort(s.Addr)
			require.NoError(t, err)
			text, err := child(t, k.name, "port="+port).CombinedOutput()
			require.Error(t, err)
			assert.Contains(t, string(text), k.name+" has ended\n")
			assert.Contains(t, string(text), "ddress already in use") // start then tries another port
		})
	}
}
