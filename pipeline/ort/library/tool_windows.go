package library

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/windows"
)

// startGroup keeps a Ctrl-C in the console from reaching the program, which
// is ended by killGroup instead.
func startGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

// killGroup kills the program and what it started: npm is a batch file that
// starts Node.js.
func killGroup(process *os.Process) error {
	if err := exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(process.Pid)).Run(); err != nil {
		return process.Kill()
	}
	return nil
}

// isDiskFull reports whether err means that no space, or none of the user's
// share of it, is left.
func isDiskFull(err error) bool {
	return errors.Is(err, errNoSpace) || errors.Is(err, windows.ERROR_DISK_FULL) ||
		errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) || errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED)
}

// syncDir does nothing: Windows logs renames itself.
func syncDir(string) error { return nil }
