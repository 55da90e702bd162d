package simulate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// What a run makes is marked with its owner and a deadline. The next run removes what an owner that has died left behind, and
// all that is past its deadline: the latter is what saves it where the owner cannot be seen from here (another machine that
// shares an engine, another container).
const (
	runLimit  = 6 * time.Hour  // no run takes that long
	keptLimit = 24 * time.Hour // of servers that --keep has left
)

// thisOwner names this process: its id, where ids are counted, and when it started, because an id is given out again.
func thisOwner() string { return ownerOf(os.Getpid()) }

func ownerOf(pid int) string {
	return fmt.Sprintf("%d@%s@%s", pid, processSpace(), processStart(pid))
}

// ownerGone tells whether an owner is known to have died. One that lives elsewhere, and what is no owner at all, is not.
func ownerGone(owner string) bool {
	f := strings.Split(owner, "@")
	if len(f) != 3 || f[1] != processSpace() {
		return false
	}
	pid, err := strconv.Atoi(f[0])
	if err != nil || pid <= 0 {
		return false
	}
	return !processAlive(pid) || f[2] != processStart(pid)
}

// leftBehind tells whether what is marked so is to be removed. Deadlines are in seconds of Unix time.
func leftBehind(owner, deadline string, now time.Time) bool {
	if ownerGone(owner) {
		return true
	}
	until, err := strconv.ParseInt(deadline, 10, 64)
	return err == nil && now.Unix() > until
}

// processSpace names what process ids are unique in. On Linux that is a boot of a machine and a namespace in it; a namespace's
// number alone is the same on all machines. Elsewhere it is the machine's name, so that an id that was given out again after a
// reboot keeps what it does not own until the deadline.
func processSpace() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		name, _ := os.Hostname()
		return strings.ReplaceAll(name, "@", "-")
	}
	namespace, _ := os.Readlink("/proc/self/ns/pid")
	return strings.TrimSpace(string(boot)) + "/" + namespace
}

// processStart gives when a process started, in the clock ticks of /proc/PID/stat (proc_pid_stat(5), field 22); "" where there
// is no such file.
func processStart(pid int) string {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	// The second field is the program's name in parentheses, which may hold anything.
	text := string(stat)
	f := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(f) < 20 {
		return ""
	}
	if f[0] == "Z" || f[0] == "X" { // it has ended, and only its parent has not asked yet
		return ""
	}
	return f[19]
}

// processAlive tells whether a process runs. Where that cannot be seen, it is taken to.
func processAlive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false // Windows
	}
	defer p.Release()
	return !errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
