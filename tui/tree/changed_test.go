package tree

import (
	"reflect"
	"strings"
	"testing"

	"ldx/pipeline"
)

// TestChangedTellsEveryField changes every field of the settings in turn.
func TestChangedTellsEveryField(t *testing.T) {
	var walk func(v reflect.Value, name string, try func(name string))
	var s pipeline.Settings
	walk = func(v reflect.Value, name string, try func(name string)) {
		old := reflect.ValueOf(v.Interface())
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i), name+"."+v.Type().Field(i).Name, try)
			}
			return
		case reflect.String:
			v.SetString("zz")
		case reflect.Int:
			v.SetInt(3)
		case reflect.Uint64:
			v.SetUint(3)
		case reflect.Float64:
			v.SetFloat(0.3)
		case reflect.Bool:
			v.SetBool(true)
		default:
			t.Fatalf("%s is a %s, which this test does not change", name, v.Kind())
		}
		try(name)
		v.Set(old)
	}
	walk(reflect.ValueOf(&s).Elem(), "Settings", func(name string) {
		if name == "Settings.Guiding.Scale" {
			return // the scale is Settings.Guidance
		}
		if Changed(pipeline.Settings{}, s) == "" || Changed(s, pipeline.Settings{}) == "" {
			t.Errorf("%s is not told", name)
		}
	})
	if got := Changed(s, s); got != "" {
		t.Errorf("nothing changed, but %q is told", got)
	}
}

func TestChangedWords(t *testing.T) {
	from := pipeline.Settings{Prompt: "a", Guidance: 3, Width: 8, Height: 8}
	to := from
	to.Prompt, to.Guidance, to.Height = "b\n \x1b[31mc", 5, 16
	want := `prompt "b c", guidance 5, size 8x16`
	if got := Changed(from, to); got != want || strings.Contains(got, "\x1b") {
		t.Errorf("%q, want %q", got, want)
	}
}
