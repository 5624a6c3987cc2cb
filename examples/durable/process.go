package main

import (
	"io"
	"os"
	"os/exec"
)

// process is a worker, of this same program.
type process struct {
	env   []string
	cmd   *exec.Cmd
	stdin io.Closer
}

func newProcess(e engine, box mailbox) *process {
	return &process{env: append(os.Environ(),
		engineVariable+"="+e.name(), addressVariable+"="+e.address(), boxVariable+"="+box.dir)}
}

func (p *process) start() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	p.cmd = exec.Command(program)
	p.cmd.Env, p.cmd.Stderr = p.env, os.Stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	return p.cmd.Start()
}

// kill ends the process as kill -9 does.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.cmd.Wait() // it says that the process was killed
	return nil
}

// stop lets the process finish what it has begun: it ends when its input does.
func (p *process) stop() error {
	if err := p.stdin.Close(); err != nil {
		return err
	}
	return p.cmd.Wait()
}
