package history

import (
	"ldx/tui/keys"
	"ldx/tui/pick"
)

// Popup is the list of prompts to choose one from.
type Popup struct {
	*pick.Model
	prompts []string
}

// NewPopup lists prompts, the newest first. problem says why there are none, nil for
// no problem.
func NewPopup(prompts []string, problem error, k keys.Map) *Popup {
	none := "no prompt has been used yet"
	if problem != nil {
		none = "✗ " + problem.Error()
	}
	items := make([]pick.Item, len(prompts))
	for i, p := range prompts {
		items[i] = pick.Item{Name: p}
	}
	return &Popup{Model: pick.New("earlier prompts", none, items, pick.Words, k.Popup), prompts: prompts}
}

// Prompt is the i-th prompt, as it was used.
func (p *Popup) Prompt(i int) string { return p.prompts[i] }
