package main

import (
	"io"
	"os"
	"os/exec"
)

// process is a worker process of this same program.
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

// kill kills the process, as kill -9 does.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.cmd.Wait() // its error is that the process was killed
	return nil
}

// stop closes the process's input and waits for its end. The process finishes the jobs that have begun.
func (p *process) stop() error {
	if err := p.stdin.Close(); err != nil {
		return err
	}
	return p.cmd.Wait()
}
