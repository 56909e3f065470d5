package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"ldx/assets"
	"ldx/pipeline"
	"ldx/pipeline/session"
	"ldx/tui"
)

// lastSession is what `ldx open` takes for the newest one.
const lastSession = "last"

// sessionsHome is where sessions lie, a folder each.
func sessionsHome() string { return filepath.Join(xdg.DataHome, "ldx", "sessions") }

func newOpen(version string) *cobra.Command {
	x := &explore{version: version}
	cmd := &cobra.Command{
		Use:   "open [FILE]",
		Short: "Go on with a saved session, or list them",
		Long: "ldx open FILE goes on with a session: its folder, a file in it, its name in the list,\n" +
			"or last for the newest one. Without FILE it lists the sessions there are.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(fmt.Errorf("ldx open takes one session, but %d are given", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listSessions(cmd.OutOrStdout())
			}
			return x.open(cmd.Context(), args[0])
		},
	}
	fs := cmd.Flags()
	x.sampling.flags = fs
	x.sampling.source.register(fs)
	registerGraphics(fs, &x.sampling.graphics)
	fs.Lookup("model").Usage = "another model to go on with, by name or folder"
	fs.Lookup("model").DefValue = "the session's"
	return cmd
}

// listedSessions bounds the list of sessions.
const listedSessions = 50

func listSessions(w io.Writer) error {
	all, err := session.List(sessionsHome())
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "NAME\tCHANGED\tMODEL\tSTEPS\tSIZE")
	for _, s := range all[:min(len(all), listedSessions)] {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\n", filepath.Base(s.Dir), s.Changed.Format("2006-01-02 15:04"), s.Header.Model, s.Steps, megabytes(s.Bytes))
	}
	if more := len(all) - listedSessions; more > 0 {
		_, _ = fmt.Fprintf(t, "\n%d older ones are", more)
	} else {
		_, _ = fmt.Fprintf(t, "\nSessions are")
	}
	_, _ = fmt.Fprintf(t, " in %s\n", sessionsHome())
	return t.Flush()
}

// findSession resolves what was typed: a path, a name in the list, or the newest.
func findSession(name string) (session.Summary, error) {
	if name == lastSession {
		all, err := session.List(sessionsHome())
		if err == nil && len(all) == 0 {
			err = fmt.Errorf("there are no sessions in %s yet", sessionsHome())
		}
		if err != nil {
			return session.Summary{}, err
		}
		return all[0], nil
	}
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) && filepath.Base(name) == name {
		if _, err := os.Stat(filepath.Join(sessionsHome(), name)); err == nil {
			return session.Describe(filepath.Join(sessionsHome(), name))
		}
		return session.Summary{}, fmt.Errorf("session %q is neither a folder here nor in %s (ldx open lists those)", name, sessionsHome())
	}
	return session.Describe(name)
}

// open goes on with a session. What keeps it from that is better said before the screen
// opens.
func (x *explore) open(ctx context.Context, name string) error {
	found, err := findSession(name)
	if err != nil {
		return err
	}
	src := &x.sampling.source
	if !x.sampling.flags.Changed("model") {
		if src.model, err = modelOf(found); err != nil {
			return err
		}
	}
	folder, err := src.folder()
	if err != nil {
		return err
	}
	info, err := pipeline.ReadInfo(folder)
	if err != nil {
		return err
	}
	if err := session.Check(found.Dir, info); err != nil {
		return err
	}
	x.opened = found.Dir
	return x.run(ctx)
}

// modelOf is how --model finds a session's model: where it was, or else by its name.
func modelOf(s session.Summary) (string, error) {
	h := s.Header
	if h.Where == "" && h.Model == assets.ModelName {
		return assets.ModelName, nil
	}
	for _, place := range []string{h.Where, filepath.Join(modelsHome(), filepath.Base(h.Model))} {
		if _, err := pipeline.OpenFolder(place); place != "" && err == nil {
			return place, nil
		}
	}
	return "", fmt.Errorf("session %s is of model %q, which is neither in %s nor in %s: name its folder with --model",
		filepath.Base(s.Dir), h.Model, orNothing(h.Where), modelsHome())
}

// orNothing names a folder that may be none.
func orNothing(dir string) string {
	if dir == "" {
		return "the program"
	}
	return dir
}

// bound gives a session the config's bound of memory.
func (x *explore) bound(s *session.Session) {
	if x.memory > 0 {
		s.SetBudget(x.memory)
	}
}

// record begins a loaded model's session, or goes on with the one that was opened.
func (x *explore) record(m *pipeline.Model) (tui.Recorder, *pipeline.Run, error) {
	x.mu.Lock()
	folder, library, path := x.loaded[m], x.runtime.Version(), x.opened
	x.opened = ""
	x.mu.Unlock()
	now, err := session.NewHeader(m, folder, library, x.version, x.sampling.source.threads)
	if err != nil {
		return nil, nil, err
	}
	if path != "" {
		s, run, err := session.Open(path, m.Info(), now)
		if err != nil {
			return nil, nil, err // and not a Recorder that is a nil *Session
		}
		x.bound(s)
		return s, run, nil
	}
	s, err := session.Create(filepath.Join(sessionsHome(), session.Name(now)), now)
	if err != nil {
		return nil, nil, err
	}
	x.bound(s)
	return s, nil, nil
}
