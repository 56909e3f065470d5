package cli

// redirectStderr does nothing: on Windows the libraries write to a handle of
// their own, not to a descriptor that could be pointed elsewhere.
func redirectStderr(string) (restore func() error, err error) {
	return func() error { return nil }, nil
}
