package local

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func syncData(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

// uncache lets the kernel forget its copy of a part of a file. It is advice; the
// kernel may not take it.
func uncache(f *os.File, from, to int64) {
	_ = unix.Fadvise(int(f.Fd()), from, to-from, unix.FADV_DONTNEED)
}
