package demo_test

import (
	"syscall"
	"testing"
)

// A demo that is killed cannot stop anything any more; the system does.
func TestKilledWhileItPlays(t *testing.T) { endsWith(t, syscall.SIGKILL) }
