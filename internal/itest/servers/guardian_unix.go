//go:build unix

package servers

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// script of a guardian: it runs the server "$@" as its child, starts it again for each line that
// it reads, and ends it when there are no more lines, which is when the test or its process has
// ended. A line names the signal to end it with, if that is another one. The answer to a line comes
// when the server is gone.
//
// A server in the background ignores QUIT until it has set itself up, hence the loop; the shell
// reaps its child while it waits for sleep. Descriptor 3 is the first server's alone: it closes
// when that ends.
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

// keeper removes a folder when the process of the test has ended.
const keeper = `read -r _; rm -rf "$1"`

// guardian is a process that outlives the test's, however that ends.
type guardian struct {
	cmd    *exec.Cmd
	lines  io.WriteCloser
	stdout *os.File
	exited chan struct{} // closed when the first server has
}

func guard(a account, signal, folder string, server []string) (*guardian, error) {
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

// restart returns when the server has ended and another one is being started. The signal is what
// ends it, empty for the usual one.
func (g *guardian) restart(signal string) error {
	if _, err := io.WriteString(g.lines, signal+"\n"); err != nil {
		return err
	}
	if err := g.stdout.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := io.ReadFull(g.stdout, make([]byte, 1))
	return err
}

// stop returns when the server has ended and its folder is gone.
func (g *guardian) stop() error {
	_ = g.lines.Close()
	err := g.cmd.Wait()
	_ = g.stdout.Close()
	<-g.exited
	return err
}
