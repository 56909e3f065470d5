package form

import (
	"testing"

	"ldx/internal/toy"
	"ldx/pipeline"
)

// TestExtrasReadWhatTheySay sets each setting, and gets it back as it was said.
func TestExtrasReadWhatTheySay(t *testing.T) {
	values := map[string][]string{
		"guidance-schedule": {"cosine:3..7", ""}, "guidance-interval": {"steps:0.2..0.8", ""}, "guidance-rescale": {"0.7", "0"},
		"apg": {"", ""}, "mimic": {"", ""}, "cfg-plus-plus": {"on", "off"},
		"prompt-syntax": {"a1111", "plain"}, "blend": {"a green pear", ""}, "blend-weight": {"0.25", "0"},
		"variation-seed": {"7", "0"}, "variation-strength": {"0.5", "0"}, "init": {"cat.png", ""}, "strength": {"0.6", "0"},
		"later-seed": {"9", "0"}, "rng": {"philox", "torch"}, "spacing": {"trailing", ""}, "size": {"32x16", "16x16"},
	}
	first := (&toy.Toy{}).Model().Settings()
	for _, x := range Extras() {
		tries, ok := values[x.Name]
		if !ok {
			t.Errorf("%s has no test", x.Name)
		}
		for _, text := range tries {
			s := first
			if err := x.Set(&s, text); err != nil {
				t.Errorf("%s %q: %v", x.Name, text, err)
				continue
			}
			again := first
			if err := x.Set(&again, x.Get(s)); err != nil || again != s {
				t.Errorf("%s %q reads as %q, which gives other settings (%v)", x.Name, text, x.Get(s), err)
			}
		}
	}
}

func TestExtrasRefuse(t *testing.T) {
	bad := map[string]string{
		"guidance-rescale": "much", "cfg-plus-plus": "yes", "variation-seed": "-1", "rng": "dice", "size": "large", "guidance-schedule": "wave",
	}
	for _, x := range Extras() {
		if text, ok := bad[x.Name]; ok {
			s := pipeline.Settings{}
			if err := x.Set(&s, text); err == nil {
				t.Errorf("%s takes %q", x.Name, text)
			}
		}
	}
}
