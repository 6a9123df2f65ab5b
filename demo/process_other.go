//go:build !linux

package demo

import "syscall"

// apart puts a child into a group of its own, so that an interrupt at the
// terminal reaches the demo alone.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
