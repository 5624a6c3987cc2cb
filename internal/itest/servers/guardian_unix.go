//go:build unix

package servers

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// script is the shell script of a guardian. It runs the server "$@" as its child and reads lines. For
// each line it ends the server, answers with an empty line, and starts the server again. The line names
// the signal that ends the server; an empty line is the usual signal. When there are no more lines, the
// test or its process has ended. Then the script ends the server and removes the folder.
//
// A server in the background ignores QUIT until it has set itself up, so the script sends it in a loop.
// The shell reaps its child while it waits for sleep. Only the first server has descriptor 3, which is
// closed when that server ends.
const script = `
signal=$1 folder=$2
shift 2
end() { while kill -s "${1:-$signal}" "$server" 2>&-; do sleep 0.01; done; }
"$@" >>"$folder/log" 2>&1 &
server=$!
exec 3>&-
while read -r other; do
	end "$other"
	echo
	"$@" >>"$folder/log" 2>&1 &
	server=$!
done
end
rm -rf "$folder"
`

// keeper is a shell script that removes a folder when the process of the test has ended.
const keeper = `read -r _; rm -rf "$1"`

// guardian is a process that runs a server. It outlives the process of the test, however that ends, and
// then ends the server.
type guardian struct {
	cmd    *exec.Cmd
	lines  io.WriteCloser
	stdout *os.File
	exited chan struct{} // closed when the first server has ended
}

// startGuardian starts a guardian.
func startGuardian(a account, signal, folder string, server []string) (*guardian, error) {
	g := &guardian{exited: make(chan struct{})}
	g.cmd = command(a, folder, "/bin/sh", append([]string{"-c", script, "guardian", signal, folder}, server...)...)
	alive, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = writer.Close() }()
	g.cmd.ExtraFiles = []*os.File{writer}
	stdout, answers, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("%w, and %w", err, alive.Close())
	}
	defer func() { _ = answers.Close() }()
	g.cmd.Stdout, g.stdout = answers, stdout
	if g.lines, err = g.cmd.StdinPipe(); err == nil {
		err = g.cmd.Start()
	}
	if err != nil {
		_, _ = alive.Close(), stdout.Close()
		return nil, err
	}
	go func() {
		defer close(g.exited)
		_, _ = io.Copy(io.Discard, alive)
		_ = alive.Close()
	}()
	return g, nil
}

// restart ends the server with the signal and starts it again. It returns when the server has ended. An
// empty signal is the usual one.
func (g *guardian) restart(signal string) error {
	if _, err := io.WriteString(g.lines, signal+"\n"); err != nil {
		return err
	}
	if err := g.stdout.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	_, err := io.ReadFull(g.stdout, make([]byte, 1))
	return err
}

// stop ends the server. It returns when the server has ended and its folder is removed.
func (g *guardian) stop() error {
	_ = g.lines.Close()
	err := g.cmd.Wait()
	_ = g.stdout.Close()
	<-g.exited
	return err
}
