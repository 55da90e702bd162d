package simulate

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// detach lets a command run in a session of its own, so that a Ctrl-C on the terminal does not reach it, and in a network of
// its own, which has no way out. Starting it then fails where the kernel forbids that: in most containers, and for users
// where user namespaces are turned off.
func detach(cmd *exec.Cmd, alone bool) bool {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if alone {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
		if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		}
	}
	return true
}

// processMemory gives the memory that a process has, in bytes; 0 if it has ended.
func processMemory(pid int) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text)) // all are 0 for a process that nobody has waited for
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// unlinkedSize gives what the files take that a process has open and that have no name any more: a server's temporary files.
func unlinkedSize(pid int) int64 {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0 // in a container without the right to see it; a file then is bounded alone
	}
	size := int64(0)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if link, err := os.Readlink(path); err != nil || !strings.HasSuffix(link, " (deleted)") {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			size += diskUse(info)
		}
	}
	return size
}

// diskFree gives what is free on the disk of a folder.
func diskFree(dir string) (int64, bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}

// processesWith gives the processes that have an argument.
func processesWith(argument string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err == nil && bytes.Contains(line, []byte("\x00"+argument+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}
