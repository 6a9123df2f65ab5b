package demo

import (
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/entente-id/entente/trust"
)

// stopTime is how long a node may take to stop in good order.
const stopTime = 12 * time.Second

// process is a running child in a process group of its own.
type process struct {
	cmd    *exec.Cmd
	ending atomic.Bool   // it was told to end
	done   chan struct{} // closed when it has ended
}

// start runs a program with its output appended to a file. When it ends without
// having been told to, crashed is called.
func start(program, logFile string, crashed func(), args ...string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "opening a node's log: %w", err)
	}
	defer log.Close() // the child has its own
	p := &process{cmd: exec.Command(program, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = apart()
	if err := p.cmd.Start(); err != nil {
		return nil, trust.Errorf(trust.Unavailable, "starting a node: %w", err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended does not matter, that it did does
		if !p.ending.Load() {
			crashed()
		}
		close(p.done)
	}()
	return p, nil
}

// stop ends the process in good order, or, if that takes too long, not.
func (p *process) stop() {
	p.ending.Store(true)
	p.signal(syscall.SIGCONT) // it may be held
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopTime):
		p.kill()
	}
}

// kill ends the process on the spot.
func (p *process) kill() {
	p.ending.Store(true)
	p.signal(syscall.SIGKILL)
	<-p.done
}

// hold freezes the process, as a machine that hangs; resume lets it go on.
func (p *process) hold()   { p.signal(syscall.SIGSTOP) }
func (p *process) resume() { p.signal(syscall.SIGCONT) }

func (p *process) signal(s syscall.Signal) {
	_ = p.cmd.Process.Signal(s) // of an own child it fails only when that has ended
}
