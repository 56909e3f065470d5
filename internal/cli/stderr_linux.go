package cli

import "golang.org/x/sys/unix"

// duplicate is dup2, which some Linux architectures lack.
func duplicate(from, to int) error { return unix.Dup3(from, to, 0) }
