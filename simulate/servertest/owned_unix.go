//go:build unix

package servertest

import (
	"os"
	"syscall"
)

// owned tells whether a file belongs to the user who runs the test.
func owned(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}
