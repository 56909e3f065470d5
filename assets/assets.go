// Package assets embeds the default model: its graphs, tokenizer and settings,
// with its card and the licences of what it was trained on.
package assets

import (
	"embed"
	"io/fs"
)

//go:embed model licences
var files embed.FS

// Attribution says what the model was trained on, by whom, under which licences.
func Attribution() string {
	text, err := files.ReadFile("licences/ATTRIBUTION.md")
	if err != nil {
		panic(err) // embedded above
	}
	return string(text)
}

// ModelName is what the embedded model is called.
const ModelName = "emoji-128"

// Model is the embedded model's folder, in the layout of a Stable Diffusion ONNX
// export.
func Model() fs.FS {
	sub, err := fs.Sub(files, "model")
	if err != nil {
		panic(err) // "model" is embedded above: only a typo here gets this far
	}
	return sub
}
