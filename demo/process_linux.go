package demo

import "syscall"

// apart puts a child into a group of its own, so that an interrupt at the
// terminal reaches the demo alone, and lets it end with the demo whatever
// happens to that.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
