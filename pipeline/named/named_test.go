package named_test

import (
	"strings"
	"testing"

	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/pipeline/named"
)

// TestSettingsReadWhatTheySay sets each setting, and gets it back as it was said.
func TestSettingsReadWhatTheySay(t *testing.T) {
	values := map[string][]string{
		"prompt": {"a cat, blue", ""}, "negative": {"blurry", ""}, "guidance": {"7.5", "1"}, "sampler": {"euler", "dpm++2m"},
		"sigmas": {"karras", ""}, "steps": {"7"}, "eta": {"0.5", "0"}, "seed": {"18446744073709551615", "0"},
		"guidance-schedule": {"cosine:3..7", ""}, "guidance-interval": {"steps:0.2..0.8", ""}, "guidance-rescale": {"0.7", "0"},
		"apg": {"", ""}, "mimic": {"", ""}, "cfg-plus-plus": {"on", "off"},
		"prompt-syntax": {"a1111", "plain"}, "blend": {"a green pear", ""}, "blend-weight": {"0.25", "0"},
		"variation-seed": {"7", "0"}, "variation-strength": {"0.5", "0"}, "init": {"cat.png", ""}, "strength": {"0.6", "0"},
		"later-seed": {"9", "0"}, "rng": {"philox", "torch"}, "spacing": {"trailing", ""}, "size": {"32x16", "16x16"},
	}
	first := (&toy.Toy{}).Model().Settings()
	for _, x := range named.All() {
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

func TestSettingsRefuse(t *testing.T) {
	bad := map[string]string{
		"sampler": "dice", "steps": "1.5", "guidance": "strong",
		"guidance-rescale": "much", "cfg-plus-plus": "yes", "variation-seed": "-1", "rng": "dice", "size": "large", "guidance-schedule": "wave",
	}
	for _, x := range named.All() {
		if text, ok := bad[x.Name]; ok {
			s := pipeline.Settings{}
			if err := x.Set(&s, text); err == nil {
				t.Errorf("%s takes %q", x.Name, text)
			}
		}
	}
}

func TestByNameListsTheNames(t *testing.T) {
	if _, err := named.ByName("colour"); err == nil || !strings.Contains(err.Error(), "sampler") {
		t.Errorf("an unknown setting gives %v, want the names there are", err)
	}
}
