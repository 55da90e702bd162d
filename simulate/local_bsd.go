//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package simulate

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// detach lets a command run in a session of its own, so that a Ctrl-C on the terminal does not reach it. A network of its own
// is not to be had here.
func detach(cmd *exec.Cmd, alone bool) bool {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return !alone
}

// processMemory gives the memory that a process has, in bytes; 0 if it has ended.
func processMemory(pid int) int64 {
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return 0
	}
	kib, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

// unlinkedSize would give what files without a name take, which is not to be seen here; each is bounded alone.
func unlinkedSize(int) int64 { return 0 }

// diskFree would give what is free on the disk of a folder.
func diskFree(string) (int64, bool) { return 0, false }

// processesWith gives the processes that have an argument.
func processesWith(argument string) []int {
	out, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
	if err != nil {
		return nil
	}
	var pids []int
	for line := range strings.Lines(string(out)) {
		number, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(number)
		if err == nil && pid != os.Getpid() && strings.Contains(command+" ", " "+argument+" ") {
			pids = append(pids, pid)
		}
	}
	return pids
}
