//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package simulate

import (
	"os"
	"syscall"
)

// localSupported tells whether this system has what a local server needs: sh, sockets in folders, and locks on files.
const localSupported = true

// ownedByUs tells whether a file belongs to the user who runs this.
func ownedByUs(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}

// diskUse gives what a file takes on the disk, which is less than its size where it has holes.
func diskUse(info os.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(st.Blocks) * 512
	}
	return info.Size()
}

// tryLock locks a file until it is closed, or its process ends.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
